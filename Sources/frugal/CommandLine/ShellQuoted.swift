/// A word as a shell reads it: between single quotation marks, if it has a character that means something to it.
func shellQuoted(_ word: String) -> String {
  let isPlain = !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./+=,".contains($0) }
  return isPlain ? word : "'\(word.replacing("'", with: "'\\''"))'"
}
