"""As much of Kubernetes' CRI and of images as a scenario needs, without a kubelet and a registry: gRPC by curl, protobuf by hand
(k8s.io/cri-api, runtime/v1/api.proto), an image made of a directory (image-spec)."""

import hashlib
import io
import json
import struct
import subprocess
import tarfile

SOCKET = "/run/containerd/containerd.sock"
NODE = 2  # NamespaceMode


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def encode(message):
    """A message as a dictionary: number of the field -> a number, text, a message, or a list of these."""
    out = b""
    for number, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                out += varint(number << 3) + varint(value)
            else:
                text = encode(value) if isinstance(value, dict) else value.encode()
                out += varint(number << 3 | 2) + varint(len(text)) + text
    return out


def map_of(values):
    """A field of type map."""
    return [{1: key, 2: value} for key, value in values.items()]


def call(method, message):
    """Returns the answer's first field, a text."""
    request = encode(message)
    curl = ["curl", "-sS", "--http2-prior-knowledge", "--unix-socket", SOCKET, "-H", "content-type: application/grpc",
            "-H", "te: trailers", "-D", "/dev/stderr", "--data-binary", "@-", f"http://cri/runtime.v1.RuntimeService/{method}"]
    ended = subprocess.run(curl, input=struct.pack(">BI", 0, len(request)) + request, capture_output=True)
    said = ended.stderr.decode()
    assert "grpc-status: 0" in said.lower(), f"{method}: {said}"
    answer = ended.stdout[5:]
    # A text of less than 128 bytes
    return answer[2 : 2 + answer[1]].decode() if answer else ""


class Pod:
    """A pod in the node's network with containers of one image."""

    def __init__(self, name, parent, annotations, handler="", namespace="shop"):
        self.config = {
            1: {1: name, 2: "uid-" + name, 3: namespace}, 7: map_of(annotations),
            8: {1: parent, 2: {1: {1: NODE}}},
        }
        self.id = call("RunPodSandbox", {1: self.config, 2: handler})

    def run(self, name, image, command, limit):
        """limit: in bytes. Returns its id."""
        config = {1: {1: name}, 2: {1: image}, 3: command, 15: {1: {4: limit, 5: 900}}}
        id = call("CreateContainer", {1: self.id, 2: config, 3: self.config})
        call("StartContainer", {1: id})
        return id

    def remove(self):
        call("StopPodSandbox", {1: self.id})
        call("RemovePodSandbox", {1: self.id})


def image_archive(name, directory, command, path):
    """For `ctr images import`."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(directory, ".")
    blobs = {}

    def blob(data, media):
        digest = hashlib.sha256(data).hexdigest()
        blobs["blobs/sha256/" + digest] = data
        return {"mediaType": "application/vnd.oci.image." + media, "digest": "sha256:" + digest, "size": len(data)}

    dump = lambda value: json.dumps(value).encode()
    layers = [blob(layer.getvalue(), "layer.v1.tar")]
    config = blob(dump({"architecture": "amd64", "os": "linux", "config": {"Cmd": command, "Env": ["PATH=/bin"]},
                        "rootfs": {"type": "layers", "diff_ids": [layers[0]["digest"]]}}), "config.v1+json")
    manifest = blob(dump({"schemaVersion": 2, "config": config, "layers": layers}), "manifest.v1+json")
    manifest["annotations"] = {"io.containerd.image.name": name}
    blobs["oci-layout"] = dump({"imageLayoutVersion": "1.0.0"})
    blobs["index.json"] = dump({"schemaVersion": 2, "manifests": [manifest]})
    with tarfile.open(path, "w") as tar:
        for member, data in blobs.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
