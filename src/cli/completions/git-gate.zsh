#compdef git-gate
# Completion of `git gate` and `git-gate` for zsh. Write it to a file `_git-gate` in a directory of $fpath:
#   git-gate completions zsh > ~/.zfunc/_git-gate

_git-gate() {
    local line
    local -a found shown
    found=("${(@f)$(git-gate __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${found[@]}"; do
        [[ -n $line ]] && shown+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#shown} )); then
        _describe -V 'git gate' shown
    else
        _files
    fi
}

# Found in $fpath the file itself is the function; loaded by hand it only makes it known.
if [[ ${funcstack[1]-} == _git-gate ]]; then
    _git-gate "$@"
elif (( ${+functions[compdef]} )); then
    compdef _git-gate git-gate
fi
