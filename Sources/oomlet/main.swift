import OomletModel

print("oomlet \(oomletVersion)")
