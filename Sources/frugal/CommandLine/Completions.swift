import Foundation
import Methods

/// Scripts that complete commands, flags and values, from the table of flags.
enum Completions {
  enum Shell: String, CaseIterable { case bash, zsh, fish }

  static func script(_ shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  private static func flags(_ command: any Command.Type) -> [Option] { command.options + commonOptions }

  /// The words that the operands of a command can be: `bash|zsh|fish`.
  private static func operands(of command: any Command.Type) -> [String] {
    let words = command.operands.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    return words.count > 1 && words.allSatisfy { $0.wholeMatch(of: /[a-z-]+/) != nil } ? words : []
  }

  private static var bash: String {
    let words = (commands.map { $0.name } + ["help"]).joined(separator: " ")
    var values: [String] = []
    var names: [String] = []
    for command in commands {
      for option in flags(command) where !option.choices.isEmpty {
        values.append(
          "    '\(command.name) \(option.flag)') "
            + "COMPREPLY=($(compgen -W '\(option.choices.joined(separator: " "))' -- \"$current\")); return ;;")
      }
      let all = flags(command).flatMap { [$0.flag] + ($0.short.map { [$0] } ?? []) }
      let operands = operands(of: command).joined(separator: " ")
      names.append("    \(command.name)) flags='\(all.joined(separator: " "))' operands='\(operands)' ;;")
    }
    return """
      # bash completion for frugal \(frugalVersion); made by frugal completions bash
      _frugal() {
        local current=${COMP_WORDS[COMP_CWORD]} flags= operands=
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "${COMP_WORDS[1]}" = help ]; }; then
          COMPREPLY=($(compgen -W '\(words)' -- "$current"))
          return
        fi
        case "${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in
      \(values.joined(separator: "\n"))
        esac
        case "${COMP_WORDS[1]}" in
      \(names.joined(separator: "\n"))
        esac
        case "$current" in
          -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
          *) COMPREPLY=($(compgen -W "$operands" -- "$current")) ;;
        esac
      }
      complete -o default -F _frugal frugal

      """
  }

  private static var zsh: String {
    let list = commands.map { "    '\($0.name):\(quoted($0.summary))'" }.joined(separator: "\n")
    let cases = commands.map { command in
      let lines = flags(command).flatMap { option in
        let help = quoted(option.help).replacing("[", with: "\\[").replacing("]", with: "\\]")
        let star = option.isRepeatable ? "*" : ""
        // `=` allows both forms, `--flag value` and `--flag=value`.
        let value = option.value.map { name in
          let action = option.choices.isEmpty ? "_files" : "(\(option.choices.joined(separator: " ")))"
          return ":\(quoted(name.replacing(":", with: " "))):\(action)"
        }
        let names = [option.flag + (value == nil ? "" : "=")] + (option.short.map { [$0] } ?? [])
        return names.map { "      '\(star)\($0)[\(help)]\(value ?? "")'" }
      }
      let operands = operands(of: command)
      let action = operands.isEmpty ? "_files" : "(\(operands.joined(separator: " ")))"
      let all = lines + ["      '*:operand:\(action)'"]
      return "    \(command.name)) _arguments \\\n\(all.joined(separator: " \\\n")) ;;"
    }
    return """
      #compdef frugal
      # zsh completion for frugal \(frugalVersion); made by frugal completions zsh
      _frugal() {
        local -a names
        names=(
      \(list)
          'help:help on a command'
        )
        if (( CURRENT == 2 )) || { (( CURRENT == 3 )) && [[ $words[2] == help ]]; }; then
          _describe command names
          return
        fi
        local name=$words[2]
        shift words
        (( CURRENT-- ))
        case $name in
      \(cases.joined(separator: "\n"))
        esac
      }
      # Read from a folder of completions, or by source.
      if [[ $funcstack[1] == _frugal ]]; then _frugal "$@"; else compdef _frugal frugal; fi

      """
  }

  private static var fish: String {
    var lines = [
      """
      # fish completion for frugal \(frugalVersion); made by frugal completions fish
      function __frugal_is_first
        set -l words (commandline -opc)
        test (count $words) -eq 1; or test (count $words) -eq 2 -a "$words[2]" = help
      end
      function __frugal_is
        set -l words (commandline -opc)
        test (count $words) -ge 2; and test "$words[2]" = $argv[1]
      end
      complete -c frugal -n __frugal_is_first -f -a help -d 'help on a command'
      """
    ]
    for command in commands {
      lines.append("complete -c frugal -n __frugal_is_first -f -a \(command.name) -d '\(escaped(command.summary))'")
    }
    for command in commands {
      let condition = "complete -c frugal -n '__frugal_is \(command.name)'"
      let operands = operands(of: command)
      if !operands.isEmpty { lines.append("\(condition) -f -a '\(operands.joined(separator: " "))'") }
      for option in flags(command) {
        let short = option.short.map { " -s \($0.dropFirst())" } ?? ""
        let value =
          option.value == nil
          ? "" : option.choices.isEmpty ? " -r" : " -x -a '\(option.choices.joined(separator: " "))'"
        lines.append(
          "\(condition) -l \(option.flag.dropFirst(2))\(short)\(value) -d '\(escaped(option.help))'")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Inside of single quotation marks of bash and zsh.
  private static func quoted(_ text: String) -> String { text.replacing("'", with: "'\\''") }

  /// Inside of single quotation marks of fish.
  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
  }
}
