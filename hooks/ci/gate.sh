#!/bin/sh
# One step for every CI system: asks git-gate, logs a deployment, or records what waits on branches.
#
# Ends with git-gate's own exit status: 0 allowed, 10 blocked, 11 pending, 3 could not decide, 2 wrong input. Only 0 is yes.
# What it needs is in the environment, never in a command line that somebody else could write into:
#
#   GATE_REPOSITORY       the governance repository, as `git fetch` takes it
#   GATE_ROOT             the trust root, a full commit id: from a secret or a protected variable, never from the repository
#   GATE_ACTION           check (the default), deploy, or record
#   GATE_NAME             the gate, <system>/<version>                                        check, deploy
#   GATE_ENVIRONMENT      where it is to go                                                   check, deploy
#   GATE_ARTIFACTS        what is deployed, lines NAME=PATH                                   check, deploy
#   GATE_DIGESTS          the same by digest, lines NAME=DIGEST                               check, deploy
#   GATE_EVIDENCE_FILES   reports that lie elsewhere, lines NAME=PATH                         check
#   GATE_WAIT             for how long to wait while it is pending, such as 2h                check, deploy
#   GATE_SEEN             a mainline commit that must still be there                          check, deploy
#   GATE_MAINLINE         the mainline, where it is not `main`
#   GATE_CACHE            a directory that is kept between runs: objects to fetch less, and the last commit seen
#   GATE_TOKEN            a password for https, given to git when it asks; GATE_TOKEN_USER: the name with it
#   GATE_SIGNING_KEY      a private SSH key, or GATE_SIGNING_KEY_FILE its path                deploy, record
#   GATE_SIGNER_NAME, GATE_SIGNER_EMAIL   who signs                                           deploy, record
#   GATE_PROGRAM          git-gate, where it is here already, by who looked at it; else it is fetched:
#   GATE_URL, GATE_SHA256, GATE_VERSION   from where, its SHA-256, and what `--version` must say: all three, or nothing is run.
#                         With GATE_PROGRAM the last two are asked for where they are given
#
# Where there are GITHUB_STEP_SUMMARY and GITHUB_OUTPUT, the answer goes into the one, `verdict` and `exit` into the other.
# GATE_SUMMARY, GATE_OUTPUT and GATE_DOTENV name such files elsewhere; in the last the lines are GATE_VERDICT and GATE_EXIT.
set -u
umask 077
LC_ALL=C
GIT_TERMINAL_PROMPT=0
export LC_ALL GIT_TERMINAL_PROMPT

fail() { # <status> <words>: whatever goes wrong here is no verdict
    printf 'git-gate step: %s\n' "$2" >&2
    answer "$1"
    exit "$1"
}

verdict_of() {
    case $1 in
    0) echo allowed ;;
    10) echo blocked ;;
    11) echo pending ;;
    *) echo undecided ;;
    esac
}

answer() { # <status>: into the outputs; one that cannot be written makes it no success
    word=$(verdict_of "$1")
    for file in "${GATE_OUTPUT-}" "${GITHUB_OUTPUT-}"; do
        [ -z "$file" ] || printf 'verdict=%s\nexit=%s\n' "$word" "$1" >>"$file" || return 1
    done
    [ -z "${GATE_DOTENV-}" ] || printf 'GATE_VERDICT=%s\nGATE_EXIT=%s\n' "$word" "$1" >>"$GATE_DOTENV" || return 1
}

needed() { # <name> <value>
    [ -n "$2" ] || fail 2 "$1 is empty"
}

is_id() {
    case $1 in *[!0-9a-f]*) return 1 ;; esac
    [ "${#1}" -eq 40 ]
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum -- "$1"; else shasum -a 256 -- "$1"; fi | cut -d ' ' -f 1
}

# The program: the one that is here, or one that is fetched and is exactly the one that was pinned.
find_program() {
    if [ -n "${GATE_PROGRAM-}" ]; then
        program=$(command -v "$GATE_PROGRAM") || fail 3 "there is no program \`$GATE_PROGRAM\`"
        if [ -n "${GATE_SHA256-}" ]; then is_pinned; fi
        is_program
        return
    fi
    needed GATE_URL "${GATE_URL-}"
    needed GATE_SHA256 "${GATE_SHA256-}"
    needed GATE_VERSION "${GATE_VERSION-}"
    program=$work/git-gate
    case $GATE_URL in
    file://*) cp -- "${GATE_URL#file://}" "$program" || fail 3 "$GATE_URL cannot be read" ;;
    https://*)
        if command -v curl >/dev/null 2>&1; then
            curl -fsSL --proto '=https' --proto-redir '=https' --retry 3 -o "$program" -- "$GATE_URL"
        else
            wget -q -O "$program" "$GATE_URL"
        fi || fail 3 "$GATE_URL cannot be fetched"
        ;;
    *) fail 2 "GATE_URL is neither https:// nor file://" ;;
    esac
    is_pinned
    chmod 700 "$program" || fail 3 "the program cannot be made one"
    is_program
}

# Before it is run for the first time.
is_pinned() {
    found=$(sha256 "$program")
    [ "$found" = "$GATE_SHA256" ] || fail 3 "the program has the SHA-256 $found, not $GATE_SHA256: it is not run"
}

is_program() {
    said=$("$program" --version </dev/null) || fail 3 "the program does not run here"
    [ "$said" = "git-gate ${GATE_VERSION:-${said#git-gate }}" ] ||
        fail 3 "the program says that it is \`$said\`, not git-gate ${GATE_VERSION-}"
}

# A clone of its own each time, with all of its history: whoever can write a clone's configuration decides what is asked.
# The cache is one file of objects, which are checked as they come in, and one commit id.
clone() {
    clone=$work/governance
    git init -q --template= -- "$clone" && git -C "$clone" remote add -- origin "$GATE_REPOSITORY" ||
        fail 3 "there is no place for a clone"
    if [ -n "${GATE_CACHE-}" ] && [ -f "$GATE_CACHE/objects.bundle" ]; then
        git -C "$clone" fetch -q --no-tags "$GATE_CACHE/objects.bundle" '+refs/*:refs/cached/*' >&2 ||
            echo 'git-gate step: the cache cannot be read; all is fetched' >&2
    fi
    git -C "$clone" fetch -q --no-tags origin >&2 || fail 3 "the governance repository cannot be fetched"
    git -C "$clone" for-each-ref --format='delete %(refname)' refs/cached/ |
        git -C "$clone" update-ref --stdin >&2 || fail 3 "the clone cannot be written"
    git -C "$clone" config gate.root "$GATE_ROOT" && git -C "$clone" config gate.mainline "${GATE_MAINLINE:-main}" ||
        fail 3 "the clone cannot be written"
    seen=${GATE_SEEN-}
    if [ -z "$seen" ] && [ -n "${GATE_CACHE-}" ] && [ -f "$GATE_CACHE/seen" ]; then
        seen=$(cat -- "$GATE_CACHE/seen")
        is_id "$seen" || fail 3 "$GATE_CACHE/seen holds no commit id: look at the mainline, then remove that file"
    fi
}

# Who signs: the key in a file of this run alone.
sign_in() {
    needed GATE_SIGNER_NAME "${GATE_SIGNER_NAME-}"
    needed GATE_SIGNER_EMAIL "${GATE_SIGNER_EMAIL-}"
    if [ -n "${GATE_SIGNING_KEY_FILE-}" ]; then
        cat -- "$GATE_SIGNING_KEY_FILE" >"$work/key" || fail 3 "the signing key cannot be read"
    else
        needed GATE_SIGNING_KEY "${GATE_SIGNING_KEY-}"
        printf '%s\n' "$GATE_SIGNING_KEY" >"$work/key" || fail 3 "the signing key cannot be written"
    fi
    unset GATE_SIGNING_KEY
    git -C "$clone" config gpg.format ssh && git -C "$clone" config user.signingkey "$work/key" &&
        git -C "$clone" config user.name "$GATE_SIGNER_NAME" &&
        git -C "$clone" config user.email "$GATE_SIGNER_EMAIL" || fail 3 "the clone cannot be written"
}

# Runs git-gate; what it says goes on as it says it, and is kept. Its status is in $status: 3 where it left none.
run() {
    rm -f -- "$work/status"
    {
        "$program" -C "$clone" --root="$GATE_ROOT" --format=markdown "$@" </dev/null >"$work/answer.md"
        echo "$?" >"$work/status"
    } 2>&1 | tee -a -- "$work/said" >&2
    status=$(cat -- "$work/status" 2>/dev/null)
    case $status in 0 | 2 | 3 | 10 | 11) ;; *) status=3 ;; esac
    # Who says nothing has allowed nothing.
    [ "$status" != 0 ] || [ -s "$work/answer.md" ] || status=3
}

# For people: the answer, or why there is none.
summarize() {
    {
        if [ -s "$work/answer.md" ]; then
            cat -- "$work/answer.md"
        else
            printf '**%s**: git-gate ended with %s\n\n' "$(verdict_of "$status")" "$status"
            sed 's/^/    /' -- "$work/said"
        fi
    } >"$work/summary.md"
    cat -- "$work/summary.md"
    for file in "${GATE_SUMMARY-}" "${GITHUB_STEP_SUMMARY-}"; do
        # Too long a summary is refused as a whole where it goes.
        [ -z "$file" ] || head -c 900000 "$work/summary.md" >>"$file" || return 1
    done
}

# What the next run starts from. Nothing is lost without it.
keep() {
    [ -n "${GATE_CACHE-}" ] || return 0
    case $status in 0 | 10 | 11) ;; *) return 0 ;; esac
    mkdir -p -- "$GATE_CACHE" &&
        git -C "$clone" bundle create -q "$work/objects.bundle" --remotes &&
        git -C "$clone" rev-parse --verify -q "refs/remotes/origin/${GATE_MAINLINE:-main}" >"$work/seen" &&
        mv -f -- "$work/objects.bundle" "$GATE_CACHE/objects.bundle" &&
        mv -f -- "$work/seen" "$GATE_CACHE/seen" ||
        echo 'git-gate step: the cache cannot be written' >&2
}

work=$(mktemp -d) || fail 3 "there is no place for temporary files"
trap 'rm -rf -- "${work:?}"' EXIT
# Whatever ends the step before its time, it is no success.
trap 'exit 3' HUP INT TERM

action=${GATE_ACTION:-check}
needed GATE_REPOSITORY "${GATE_REPOSITORY-}"
is_id "${GATE_ROOT-}" || fail 2 "GATE_ROOT is no full commit id"
case $action in
check | deploy)
    needed GATE_NAME "${GATE_NAME-}"
    needed GATE_ENVIRONMENT "${GATE_ENVIRONMENT-}"
    ;;
record) ;;
*) fail 2 "GATE_ACTION is check, deploy or record, not \`$action\`" ;;
esac
if [ -n "${GATE_TOKEN-}" ]; then
    cat >"$work/askpass" <<'ASKPASS'
#!/bin/sh
case $1 in Username*) printf '%s\n' "${GATE_TOKEN_USER:-x-access-token}" ;; *) printf '%s\n' "$GATE_TOKEN" ;; esac
ASKPASS
    chmod 700 "$work/askpass" || fail 3 "there is no place for temporary files"
    GIT_ASKPASS=$work/askpass
    export GIT_ASKPASS GATE_TOKEN
fi

# The arguments, from lines; each is one word with its flag, so that none can be a flag itself. Paths are those of this
# directory.
set --
lines() { # <flag> <path or text> <lines>: adds to $work/arguments, one a line
    printf '%s\n' "$3" | while IFS= read -r line; do
        [ -n "$line" ] || continue
        case $line in *=*) ;; *) exit 1 ;; esac
        value=${line#*=}
        case $2/$value in path//*) ;; path/*) value=$PWD/$value ;; esac
        printf '%s\n' "$1=${line%%=*}=$value"
    done >>"$work/arguments" || fail 2 "a line is not NAME=VALUE: $3"
}
: >"$work/arguments"
lines --artifact path "${GATE_ARTIFACTS-}"
lines --digest text "${GATE_DIGESTS-}"
if [ "$action" = check ]; then lines --evidence-file path "${GATE_EVIDENCE_FILES-}"; fi
while IFS= read -r argument; do set -- "$@" "$argument"; done <"$work/arguments"

find_program
clone
: >"$work/said"
if [ "$action" != check ]; then sign_in; fi
case $action in
record) run record --yes ;;
*)
    # Waiting, and what was seen before, are for the check that comes first.
    if [ "$action" = check ] || [ -n "${GATE_WAIT-}$seen" ]; then
        run check --env="$GATE_ENVIRONMENT" "$@" ${seen:+"--seen=$seen"} ${GATE_WAIT:+"--wait=$GATE_WAIT"} -- "$GATE_NAME"
    else
        status=0
    fi
    if [ "$action" = deploy ] && [ "$status" = 0 ]; then run deploy --env="$GATE_ENVIRONMENT" --yes "$@" -- "$GATE_NAME"; fi
    ;;
esac
summarize || fail 3 "the summary cannot be written"
keep
answer "$status" || { echo 'git-gate step: the outputs cannot be written' >&2; exit 3; }
exit "$status"
