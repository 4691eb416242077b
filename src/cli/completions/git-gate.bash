# Completion of `git gate` and `git-gate` for bash. Load it in ~/.bashrc, behind git's own:
#   eval "$(git-gate completions bash)"

__git_gate_complete() {
    local line=${COMP_LINE:0:COMP_POINT} at=1 typed last before= candidate rest
    local -a words forward
    # Split as typed: bash itself splits at `=` and `:` too.
    read -ra words <<<"$line"
    case $line in *[[:space:]]) words+=("") ;; esac
    if [[ ${words[0]##*/} == git ]]; then
        while ((at < ${#words[@]})) && [[ ${words[at]} != gate ]]; do
            [[ ${words[at]} == -C ]] && forward+=(-C "${words[at + 1]}")
            ((at++))
        done
        ((at++))
    fi
    words=("${words[@]:at}")
    ((${#words[@]})) || words=("")
    typed=${words[${#words[@]} - 1]}
    last=${COMP_WORDS[COMP_CWORD]}
    case $last in = | :) last= ;; esac
    case $typed in *"$last") before=${typed%"$last"} ;; esac
    COMPREPLY=()
    while IFS=$'\t' read -r candidate rest; do
        candidate=${candidate#"$before"}
        case $candidate in *=) ;; *) candidate+=' ' ;; esac
        COMPREPLY+=("$candidate")
    done < <(git-gate __complete -- ${forward[@]+"${forward[@]}"} "${words[@]}" 2>/dev/null)
}

# What git's own completion calls for `git gate`.
_git_gate() {
    __git_gate_complete
}

complete -o bashdefault -o default -o nospace -F __git_gate_complete git-gate
