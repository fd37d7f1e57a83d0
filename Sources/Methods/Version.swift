/// The version of the library and the command, by semantic versioning.
public let frugalVersion = "0.2.0"
