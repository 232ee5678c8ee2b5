public let oomletVersion = "0.1.0"
