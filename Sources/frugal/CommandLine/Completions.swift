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
      names.append("    \(command.name)) flags='\(all.joined(separator: " "))' ;;")
    }
    return """
      # bash completion for frugal \(frugalVersion); made by frugal completions bash
      _frugal() {
        local current=${COMP_WORDS[COMP_CWORD]} flags=
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
        esac
      }
      complete -o default -F _frugal frugal

      """
  }

  private static var zsh: String {
    let list = commands.map { "    '\($0.name):\(quoted($0.summary))'" }.joined(separator: "\n")
    let cases = commands.map { command in
      let lines = flags(command).map { option in
        let help = quoted(option.help).replacing("[", with: "\\[").replacing("]", with: "\\]")
        let star = option.isRepeatable ? "*" : ""
        let value = option.value.map { name in
          let action = option.choices.isEmpty ? "_files" : "(\(option.choices.joined(separator: " ")))"
          return ":\(quoted(name.replacing(":", with: " "))):\(action)"
        }
        return "      '\(star)\(option.flag)[\(help)]\(value ?? "")'"
      }
      return "    \(command.name)) _arguments \\\n\((lines + ["      '*:file:_files'"]).joined(separator: " \\\n")) ;;"
    }
    return """
      #compdef frugal
      # zsh completion for frugal \(frugalVersion); made by frugal completions zsh
      _frugal() {
        local -a names
        names=(
      \(list)
        )
        if (( CURRENT == 2 )); then
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
      _frugal "$@"

      """
  }

  private static var fish: String {
    var lines = ["# fish completion for frugal \(frugalVersion); made by frugal completions fish"]
    for command in commands {
      lines.append("complete -c frugal -n __fish_use_subcommand -f -a \(command.name) -d '\(escaped(command.summary))'")
    }
    for command in commands {
      for option in flags(command) {
        let short = option.short.map { " -s \($0.dropFirst())" } ?? ""
        let value =
          option.value == nil
          ? "" : option.choices.isEmpty ? " -r" : " -x -a '\(option.choices.joined(separator: " "))'"
        lines.append(
          "complete -c frugal -n '__fish_seen_subcommand_from \(command.name)' -l \(option.flag.dropFirst(2))"
            + "\(short)\(value) -d '\(escaped(option.help))'")
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
