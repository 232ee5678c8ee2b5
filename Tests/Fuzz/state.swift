import OomletJSON
import OomletModel
import OomletOCI

/// What a runtime hands to the hook, the state or a bundle's configuration, or keeps for itself of a container. The last line may be the line of the
/// process's /proc/PID/cgroup.
@c(LLVMFuzzerTestOneInput)
func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  var json = bytes(data, size)
  var cgroup = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-a.scope/container"
  if let newline = json.lastIndex(of: UInt8(ascii: "\n")), json[(newline + 1)...].starts(with: Array("0::".utf8)) {
    cgroup = String(decoding: json[(newline + 4)...], as: UTF8.self)
    json.removeSubrange(newline...)
  }

  checkTolerance(json)
  do throws(Failure) {
    let state = try RuntimeState(parsing: json)
    check(state.pid.map { (1...Int(Int32.max)).contains($0) } ?? true, "pid \(state.pid!)")
    check(state.annotations?.isEmpty != true, "annotations are there and empty")
    let annotations = ContainerAnnotations(state.annotations ?? [:], id: state.id)
    if !annotations.isSandbox { checkPolicy(annotations) }
    checkPlacement(Placement(cgroup: cgroup, annotations: annotations), of: cgroup)
    let identity = try ContainerIdentity(id: state.id, annotations: annotations)
    check((1...127).contains(identity.id.utf8.count), "id of \(identity.id.utf8.count) bytes")
    check(!identity.id.utf8.contains { "/@\0".utf8.contains($0) }, identity.id)
  } catch { checkShown(error, .failed) }

  do throws(Failure) {
    let config = try BundleConfig(parsing: json, path: "/b/config.json")
    checkPolicy(ContainerAnnotations(config.annotations))
    _ = ContainerAnnotations(config.annotations).label("a")
  } catch {
    checkShown(error, .failed)
    check(error.description.hasPrefix("/b/config.json"), error.description)
  }

  do throws(Failure) { checkKept(try KeptContainer(runc: json, path: "/r/state.json")) } catch {
    checkShown(error, .failed)
    check(error.description.hasPrefix("/r/state.json"), error.description)
  }
  do throws(Failure) { checkKept(try KeptContainer(crun: json, path: "/c/status")) } catch {
    checkShown(error, .failed)
    check(error.description.hasPrefix("/c/status"), error.description)
  }
  return 0
}

/// What a strict reader takes, a tolerant one takes as well, and as the same.
private func checkTolerance(_ text: [UInt8]) {
  guard let strict = try? JSON(parsing: text, integers: .asNumbers) else { return }
  guard let loose = try? LooseJSON(parsing: text) else { fatalError("a JSON text is refused") }
  checkSame(loose, strict, depth: 8)
}

/// - Parameter depth: each level is gone through again for the next.
private func checkSame(_ loose: LooseJSON, _ strict: JSON, depth: Int) {
  guard depth > 0 else { return }
  switch strict {
  case .null: check(loose.isNull, "null")
  case .bool: check(loose.string == nil && loose.integer == nil && !loose.isNull, "a truth value")
  case .integer, .number: check(loose.integer == strict.integer, "\(strict) is \(loose.integer.debugDescription)")
  case .string(let text): check(loose.string == text, "a string")
  case .array(let values):
    check(loose.array?.count == values.count, "a list's length")
    for (loose, strict) in zip(loose.array ?? [], values) { checkSame(loose, strict, depth: depth - 1) }
  case .object(let members):
    check(loose.members?.count == members.count, "an object's size")
    for (loose, strict) in zip(loose.members ?? [], members) {
      check(Array(loose.key.utf8) == Array(strict.key.utf8), "a key")
      checkSame(loose.value, strict.value, depth: depth - 1)
    }
  }
}

private func checkKept(_ kept: KeptContainer) {
  check((1...Int(Int32.max)).contains(kept.pid), "pid \(kept.pid)")
  if let cgroup = kept.cgroup {
    check(cgroup == "/" + components(cgroup).joined(separator: "/") && cgroup != "/", "cgroup \(cgroup)")
    check(components(cgroup).allSatisfy { $0 != "." && $0 != ".." }, "cgroup \(cgroup)")
  }
  checkPolicy(ContainerAnnotations(kept.annotations ?? [:]))
}

private func checkPolicy(_ annotations: ContainerAnnotations) {
  if let warning = annotations.unusedKeyWarning { checkShown(warning, "a warning") }
  do throws(Failure) {
    guard let policy = try annotations.policy() else { return }
    check(annotations[policy.key] == policy.value, "a policy out of nowhere")
  } catch { checkShown(error, .invalid) }
}

private func checkPlacement(_ place: Placement, of cgroup: String) {
  let parts = components(cgroup)
  let container = components(place.container)
  check(place.container == "/" + container.joined(separator: "/"), "container \(place.container)")
  check(parts.starts(with: container), "container \(place.container) is not above \(cgroup)")
  check(parts.count - container.count <= 2, "container \(place.container) is far above \(cgroup)")
  check(!container.isEmpty || parts.isEmpty, "container \(cgroup) would be the whole system")
  if let pod = place.pod {
    check(place.container == "\(pod)/\(container.last ?? "")", "pod \(pod) is not right above \(place.container)")
  }
}

private func components(_ path: String) -> [String] {
  path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
}
