// The folder is a SwiftPM target so that its C files travel inside the tool.
