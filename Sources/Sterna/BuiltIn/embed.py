"""Writes BuiltInData.swift from a delivered network, so that the tool carries its model and samples.

    python Sources/Sterna/BuiltIn/embed.py training/delivered

The folder holds har.onnx, har_x.npy (N x 1 x 64 x 64, uint8), har_y.npy (N) and facts.json with the class names.
String literals compile fast; the same bytes as an array would take minutes.
"""

import base64
import json
import pathlib
import sys


def literal(name: str, what: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = "\n".join("    " + text[i : i + 112] for i in range(0, len(text), 112))
    return f'  /// {what}, in base64.\n  static let {name} = """\n{lines}\n    """\n'


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    classes = json.loads((folder / "facts.json").read_text())["classes"]
    names = ", ".join(json.dumps(name) for name in classes)
    parts = [
        "// Written by embed.py; do not edit.\n\n// swift-format-ignore-file\n",
        "enum BuiltInData {",
        f"  static let classes = [{names}]\n",
        literal("model", "har.onnx", (folder / "har.onnx").read_bytes()),
        literal("samples", "har_x.npy", (folder / "har_x.npy").read_bytes()),
        literal("labels", "har_y.npy", (folder / "har_y.npy").read_bytes()),
        "}",
    ]
    target = pathlib.Path(__file__).with_name("BuiltInData.swift")
    target.write_text("\n".join(parts) + "\n")
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
