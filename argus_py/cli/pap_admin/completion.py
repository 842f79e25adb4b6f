"""Completion of the command line by bash, zsh and fish, from the same tables as the help."""

from collections.abc import Sequence
from typing import Final

from argus_py.cli.pap_admin.arguments import Arguments, Option, ParseError
from argus_py.cli.pap_admin.command import Call, Command, Exit

SHELLS: Final = ("bash", "zsh", "fish")
_FILES: Final = ("file", "file...")
_FOLDERS: Final = ("folder",)


def script(shell: str, commands: Sequence[Command], global_options: Sequence[Option]) -> str:
    """To be read by the shell; ``shell`` is one of SHELLS."""
    if shell == "bash":
        return _bash(commands, global_options)
    if shell == "zsh":
        return _zsh(commands, global_options)
    return _fish(commands, global_options)


def _bash(commands: Sequence[Command], global_options: Sequence[Option]) -> str:
    names = " ".join(name for command in commands for name in command.names)
    lines = [
        "# bash completion of pap-admin",
        "_pap_admin() {",
        '    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"',
        '    local command="" options="" word',
        '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        f'        case " {names} " in *" $word "*) command="$word"; break ;; esac',
        "    done",
        '    case "$command $previous" in',
        *(_bash_value(name, option) for command in commands for name in command.names for option in command.options),
        *(_bash_value("", option) for option in global_options),
        "    esac",
        '    case "$command" in',
        f'        "") options="{names} {_spelled(global_options)}" ;;',
        *(
            f'        {"|".join(command.names)}) options="{_spelled((*command.options, *global_options))}" ;;'
            for command in commands
        ),
        "    esac",
        '    if [[ -n "$command" && "$current" != -* ]]; then',
        '        mapfile -t COMPREPLY < <(compgen -f -- "$current")',
        "    else",
        '        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")',
        "    fi",
        "}",
        "complete -o filenames -F _pap_admin pap-admin",
    ]
    return "".join(f"{line}\n" for line in lines if line)


def _bash_value(command: str, option: Option) -> str:
    """What is offered behind an option of a command, or of all; options without a value offer nothing of their own."""
    if option.value is None:
        return ""
    offered = f'-W "{" ".join(option.choices)}"' if option.choices else "-W ''"
    if option.value in (*_FILES, *_FOLDERS):
        offered = "-d" if option.value in _FOLDERS else "-f"
    pattern = "|".join(f'"{command} {name}"' if command else f'*" {name}"' for name in option.names)
    return f'        {pattern}) mapfile -t COMPREPLY < <(compgen {offered} -- "$current"); return ;;'


def _zsh(commands: Sequence[Command], global_options: Sequence[Option]) -> str:
    lines = [
        "#compdef pap-admin",
        "_pap_admin() {",
        "    local -a commands",
        "    commands=(",
        *(
            f"        {_quoted(f'{name}:{_escaped(_first_line(command.help))}')}"
            for command in commands
            for name in command.names
        ),
        "    )",
        "    local state",
        "    _arguments -C \\",
        *(f"        {spec} \\" for option in global_options for spec in _zsh_specs(option)),
        "        '1: :->command' '*:: :->words'",
        '    case "$state" in',
        "        command) _describe command commands ;;",
        '        words) case "$words[1]" in',
        *(
            f"            {'|'.join(command.names)}) _arguments {_zsh_options(command)} '*:file:_files' ;;"
            for command in commands
        ),
        "        esac ;;",
        "    esac",
        "}",
        # Loaded as a file of $fpath it is the function itself; else it is made known.
        'if [ "$funcstack[1]" = "_pap_admin" ]; then _pap_admin "$@"; else compdef _pap_admin pap-admin; fi',
    ]
    return "".join(f"{line}\n" for line in lines)


def _zsh_options(command: Command) -> str:
    return " ".join(spec for option in command.options for spec in _zsh_specs(option))


def _zsh_specs(option: Option) -> list[str]:
    value = ""
    if option.value is not None:
        action = f"({' '.join(option.choices)})" if option.choices else "_files" if option.value in _FILES else " "
        value = f":{_escaped(option.value)}:{'_files -/' if option.value in _FOLDERS else action}"
    return [_quoted(f"{name}[{_escaped(option.help)}]{value}") for name in option.names]


def _fish(commands: Sequence[Command], global_options: Sequence[Option]) -> str:
    names = " ".join(name for command in commands for name in command.names)
    lines = [
        "# fish completion of pap-admin",
        "function __pap_admin_has_no_command",
        f"    not __fish_seen_subcommand_from {names}",
        "end",
    ]
    for command in commands:
        text = _quoted(_first_line(command.help))
        lines += (
            f"complete -c pap-admin -n __pap_admin_has_no_command -f -a {name} -d {text}" for name in command.names
        )
    lines += (f"complete -c pap-admin {_fish_option(option)}" for option in global_options)
    for command in commands:
        seen = f"-n '__fish_seen_subcommand_from {' '.join(command.names)}'"
        lines += (f"complete -c pap-admin {seen} {_fish_option(option)}" for option in command.options)
    return "".join(f"{line}\n" for line in lines)


def _fish_option(option: Option) -> str:
    words = [_fish_name(name) for name in option.names]
    if option.choices:
        words.append(f"-x -a '{' '.join(option.choices)}'")
    elif option.value is not None:
        words.append("-r" if option.value in (*_FILES, *_FOLDERS) else "-x")
    return " ".join([*words, f"-d {_quoted(option.help)}"])


def _fish_name(name: str) -> str:
    if name.startswith("--"):
        return f"-l {name[2:]}"
    return f"-s {name[1:]}" if len(name) == 2 else f"-o {name[1:]}"  # several letters behind one hyphen


def _spelled(options: Sequence[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _escaped(text: str) -> str:
    """For the little language of ``_arguments``."""
    return text.replace("\\", "\\\\").replace(":", "\\:").replace("[", "\\[").replace("]", "\\]")


def _quoted(text: str) -> str:
    """One word for each of the three shells, whose only special character within it is ended and begun again."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"


def _check(given: Arguments) -> None:
    if len(given.words) != 1 or given.words[0] not in SHELLS:
        raise ParseError(f"Specify one shell: {', '.join(SHELLS)}")


def command(commands: Sequence[Command], global_options: Sequence[Option]) -> Command:
    """The command ``completion``, which knows all others and itself."""

    def write(call: Call) -> Exit:
        call.say(script(call.words[0], (*commands, itself), global_options), end="")
        return Exit.SUCCESS

    itself = Command(
        ("completion",),
        f"completion ({' | '.join(SHELLS)})",
        "Write a script that lets a shell complete commands and options.",
        (),
        write,
        _check,
        (
            ("completion bash > /etc/bash_completion.d/pap-admin", "for everybody"),
            ("completion fish > ~/.config/fish/completions/pap-admin.fish", "for oneself"),
        ),
    )
    return itself
