# Completion of `git gate` and `git-gate` for fish:
#   git-gate completions fish > ~/.config/fish/completions/git-gate.fish

function __git_gate_complete
    set -l words (commandline -opc)
    set -l forward
    if test (path basename -- $words[1]) = git
        while set -q words[2]; and test $words[2] != gate
            if test $words[2] = -C; and set -q words[3]
                set forward -C $words[3]
            end
            set -e words[2]
        end
        set -e words[2]
    end
    set -l found (git-gate __complete -- $forward $words[2..-1] (commandline -ct) 2>/dev/null)
    if set -q found[1]
        printf '%s\n' $found
    else
        # Files, where nothing else can stand there.
        __fish_complete_path (commandline -ct)
    end
end

function __git_gate_typed
    contains -- gate (commandline -opc)
end

complete -c git-gate -f -a '(__git_gate_complete)'
complete -c git -f -n __git_gate_typed -a '(__git_gate_complete)'
