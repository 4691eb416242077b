#!/bin/sh
# Checks this pack with git, ssh-keygen and sha256sum alone, and writes nothing into it.
#
#   sh verify.sh [<SHA-256 of the file SHA256SUMS, as who sent the pack told it by another way>]
#
# Status 0: all holds. 1: something does not; each is told. What it shows, and what it does not, is in README.txt.
set -eu
cd "$(dirname "$0")"
here=$(pwd)
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG \
    GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_NAMESPACE GIT_COMMON_DIR GIT_SHALLOW_FILE GIT_GRAFT_FILE
LC_ALL=C GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1
export LC_ALL GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM GIT_NO_REPLACE_OBJECTS
tab=$(printf '\t')
bad=0
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    bad=1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repository=$work/history.git
g() { git --git-dir="$repository" "$@"; }

# 1. Every file is as it was written, and no other is there.
sums=$(sha256sum <SHA256SUMS)
sums=${sums%% *}
if [ $# -gt 0 ] && [ "$sums" != "$1" ]; then fail "SHA256SUMS has the digest $sums, not $1"; fi
sha256sum -c SHA256SUMS >"$work/sums" 2>&1 || fail "files differ: $(grep -v ': OK$' "$work/sums")"
find . ! -type d | sed 's|^\./||' | grep -v '^SHA256SUMS$' | sort >"$work/there"
cut -c 67- SHA256SUMS | sort >"$work/listed"
cmp -s "$work/there" "$work/listed" || fail "files are there that SHA256SUMS does not list, or the other way round"

# 2. The history: git hashes every object while it reads the bundle.
git init -q --bare --template= "$repository"
if ! g fetch -q "$here/history.bundle" '+refs/heads/*:refs/heads/*'; then
    fail "history.bundle cannot be read"
    exit 1
fi
while IFS=$tab read -r what name commit; do
    case $what in
    mainline)
        [ "$(g rev-parse --verify -q "refs/heads/$name^{commit}")" = "$commit" ] || fail "the mainline is not $commit"
        g rev-list --first-parent "$commit" >"$work/chain" || fail "the mainline cannot be walked"
        ;;
    root) grep -Fqx "$commit" "$work/chain" || fail "the trust root $commit is not on the mainline" ;;
    *) fail "history.tsv holds what this does not know: $what" ;;
    esac
done <history.tsv

# 3. The population: each log holds these commits, in this order, and no others.
for file in logs/*; do
    [ -f "$file" ] || continue
    environment=${file#logs/}
    many=$(wc -l <"$file")
    g rev-list --first-parent "refs/heads/deployments/$environment" >"$work/log" || : >"$work/log"
    head -n "$many" "$work/log" >"$work/top"
    cmp -s "$work/top" "$file" || fail "the log of $environment is not the one of $file"
    below=$(sed -n "$((many + 1))p" "$work/log")
    if [ -n "$below" ] && ! grep -Fqx "$below" "$work/chain"; then
        fail "the log of $environment goes on below $file, with $below"
    fi
done

# 4. Signatures: of each record and approval that counts, by keys that stood on the mainline.
sed 's|$|:policy/allowed_signers|' "$work/chain" | g cat-file --batch-check='%(objectname)' >"$work/keys"
for file in keys/*; do
    [ -f "$file" ] || continue
    grep -Fqx "$(g hash-object --no-filters "$file")" "$work/keys" || fail "$file never stood on the mainline"
done
signatures=0
# signed <commit> <principal> <file of keys>
signed() {
    signatures=$((signatures + 1))
    said=$(g -c gpg.ssh.program=ssh-keygen -c "gpg.ssh.allowedSignersFile=$here/keys/$3" \
        verify-commit "$1" 2>&1) || said="no good signature: $said"
    case $said in
    "Good \"git\" signature for $2 with "*) ;;
    *) fail "$1 is not signed by $2: $said" ;;
    esac
}
while IFS=$tab read -r commit who keys; do signed "$commit" "$who" "$keys"; done <signatures.tsv

# 5. What the report says of each record stands in what was signed.
lines=0
while IFS=$tab read -r commit line; do
    lines=$((lines + 1))
    g cat-file commit "$commit" >"$work/commit" || fail "$commit is not there"
    grep -Fqx -- "$line" "$work/commit" || fail "$commit does not say: $line"
done <records.tsv

# 6. What was approved and deployed: the digest of each gate directory, and of each report in it.
contents=0
while IFS=$tab read -r commit directory digest; do
    contents=$((contents + 1))
    g ls-tree -r --name-only "$commit:$directory" | sort >"$work/paths"
    : >"$work/files"
    while read -r path; do
        one=$(g cat-file blob "$commit:$directory/$path" | sha256sum)
        printf '%s  %s\n' "${one%% *}" "$path" >>"$work/files"
    done <"$work/paths"
    all=$(sha256sum <"$work/files")
    [ "sha256:${all%% *}" = "$digest" ] || fail "$directory at $commit has not the digest $digest"
done <contents.tsv
#    A report that the policy takes from some alone came by a commit which one of them signed.
reports=0
unattested=0
while IFS=$tab read -r commit path digest by who keys; do
    reports=$((reports + 1))
    one=$(g cat-file blob "$commit:$path" | sha256sum)
    [ "sha256:${one%% *}" = "$digest" ] || fail "$path at $commit has not the digest $digest"
    case $by in
    -) continue ;;
    unattested) unattested=$((unattested + 1)) && continue ;;
    esac
    signed "$by" "$who" "$keys"
    g merge-base --is-ancestor "$by" "$commit" || fail "$by is not in the history of $commit"
    brought=$(g rev-parse --verify -q "$by:$path") || brought="nothing"
    [ "$brought" = "$(g rev-parse "$commit:$path")" ] || fail "$path at $commit is not what $by brought"
    for parent in $(g rev-list --parents -n 1 "$by" | cut -d ' ' -f 2- -s); do
        before=$(g rev-parse --verify -q "$parent:$path") || before=""
        [ "$before" != "$brought" ] || fail "$path is not what $by brought: $parent has it"
    done
done <evidence.tsv

printf 'SHA256SUMS %s\n' "$sums"
printf '%s signatures, %s lines of records, %s gate directories, %s reports\n' \
    "$signatures" "$lines" "$contents" "$reports"
[ "$unattested" = 0 ] || printf '%s reports are signed by nobody whom the policy takes them from\n' "$unattested"
[ "$bad" = 0 ] || exit 1
echo "all of it holds"
