import Formats
import Foundation

extension Exercise {
  /// An archive for Gradescope's "Configure Autograder": the student's code runs on hidden numbers, its answers are
  /// graded by the command.
  ///
  /// - hidden: the student id of the hidden numbers, which only the grader knows; binary: a `frugal` that runs in the
  ///   container, such as the static one of a release.
  func writeGradescopePack(hidden: String, binary: URL, to url: URL) throws {
    let command = try MappedFile.bytes(of: binary, limit: 1 << 30)
    guard command.starts(with: [0x7F] + Array("ELF".utf8)) else {
      throw FileError(
        file: binary.shown, expected: "a program for Linux (ELF)", found: "something else")
    }
    let folder = try AtomicFolder(
      url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).d"))
    let values = instance(.own, student: hidden)
    try writeInputs(values, to: folder.url.appendingPathComponent("inputs"))
    try writeReference(values, to: folder.url.appendingPathComponent("reference.safetensors"))
    var entries: [(name: String, data: [UInt8])] = [
      ("setup.sh", Array(Self.setup.utf8)), ("run_autograder", Array(Self.runAutograder.utf8)),
      ("frugal", command),
      ("rubric.json", Array(try JSON.encoded(rubric, isPretty: true))),
    ]
    for name in ["reference.safetensors"] + inputs.map({ "inputs/\($0.name).npy" }) {
      entries.append((name, try MappedFile.bytes(of: folder.url.appendingPathComponent(name))))
    }
    try AtomicFile.write(ZipWriter.stored(entries), to: url)
  }

  /// Run once, as root, when the image is built. Hidden files are closed to the user that runs the student's code.
  private static let setup = """
    #!/usr/bin/env bash
    set -euo pipefail
    apt-get update
    apt-get install -y -o APT::Install-Recommends=false python3 python3-numpy
    cd /autograder/source
    chmod 755 frugal
    chmod 700 .
    chmod 600 reference.safetensors rubric.json

    """

  /// Run for every submission, as root. The student's code runs as nobody, in a folder of its own, for five minutes at
  /// most; what it wrote is then only read. The end of what it printed is for the teacher, who alone sees what this
  /// script prints: it may hold hidden numbers.
  private static let runAutograder = """
    #!/usr/bin/env bash
    set -uo pipefail
    base=${AUTOGRADER:-/autograder}
    work=$(mktemp -d)
    mkdir -p "$base/results" "$work/answers"
    results="$base/results/results.json"
    echo '{"score": 0, "stdout_visibility": "hidden", "output": "the autograder failed; tell your teacher"}' \\
      > "$results"
    cp -R "$base/source/inputs" "$work/inputs"
    if [ -f "$base/submission/solution.py" ]; then
      cp "$base/submission/"*.py "$work/"
    else
      echo '{"score": 0, "output": "expected a file solution.py, found none"}' > "$results"
      exit 0
    fi
    chmod -R a+rX "$work"
    chmod 777 "$work" "$work/answers"
    cd "$work"
    if [ "$(id -u)" = 0 ] && command -v runuser > /dev/null; then
      user=(runuser -u nobody --)
    else
      user=()
    fi
    ulimit -f 200000
    log=$(mktemp)
    "${user[@]}" timeout -k 5 300 python3 solution.py inputs answers > "$log" 2>&1 < /dev/null
    code=$?
    case $code in
      0) note= ;;
      124 | 137) note="solution.py was stopped after five minutes" ;;
      *) note="solution.py ended with exit code $code; does it run on the public inputs?" ;;
    esac
    echo "solution.py: exit code $code; the end of what it printed:"
    tail -c 4000 "$log"
    # A link could lead to the answers themselves, which nobody may read but this script.
    graded=$(mktemp -d)
    find "$work/answers" -maxdepth 1 -type f -name '*.npy' -size -100M -exec cp -P {} "$graded/" \\;
    "$base/source/frugal" grade "$base/source/reference.safetensors" "$graded" \\
      --rubric "$base/source/rubric.json" --gradescope "$results" --note "$note"
    code=$?
    if [ "$code" -gt 1 ]; then echo "frugal grade: exit code $code: nothing was graded"; fi
    exit 0

    """
}
