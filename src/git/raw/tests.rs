//! Tables of commits, good and bad. Comparisons with git itself are in `tests/all/raw_commits.rs`.

use proptest::prelude::*;

use super::*;

const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const OTHER: &str = "1111111111111111111111111111111111111111";
const WHO: &str = "A U Thor <author@example.com> 1700000000 +0130";
const GPGSIG: &str = "gpgsig -----BEGIN SSH SIGNATURE-----\n U1NI\n -----END SSH SIGNATURE-----\n";

/// A commit with `headers` (whole lines) behind the committer line.
fn commit(headers: &str, message: &str) -> String {
    format!("tree {TREE}\nparent {OTHER}\nauthor {WHO}\ncommitter {WHO}\n{headers}\n{message}")
}

#[track_caller]
fn refused(commit: impl AsRef<[u8]>, expected: RawCommitError) {
    let bytes = commit.as_ref();
    assert_eq!(parse(bytes), Err(expected), "{}", String::from_utf8_lossy(bytes));
}

#[test]
fn a_whole_commit_reads_whole() {
    let text = commit(&format!("encoding UTF-8\n{GPGSIG}change-id abc\n"), "Subject\n\ngpgsig no\n");
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(read.tree(), TREE.parse().unwrap());
    assert_eq!(read.parents(), [OTHER.parse().unwrap()]);
    assert_eq!((read.author(), read.committer()), (WHO, WHO));
    assert_eq!(read.committer_time().unix(), 1_700_000_000);
    assert_eq!(read.message(), "Subject\n\ngpgsig no\n");
    assert_eq!(
        read.signature().unwrap(),
        "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n"
    );
    assert_eq!(
        read.payload(),
        commit("encoding UTF-8\nchange-id abc\n", "Subject\n\ngpgsig no\n").as_bytes()
    );
}

#[test]
fn root_commits_merges_and_empty_messages_read() {
    let root = format!("tree {TREE}\nauthor {WHO}\ncommitter {WHO}\n\n");
    let read = parse(root.as_bytes()).unwrap();
    assert_eq!((read.parents().len(), read.message(), read.signature()), (0, "", None));
    assert_eq!(read.payload(), root.as_bytes());
    let tag = format!("mergetag object {OTHER}\n type commit\n gpgsig x\n \n message\n");
    let merge = commit(&format!("{tag}{tag}"), "m\n");
    assert!(parse(merge.as_bytes()).unwrap().signature().is_none());
}

#[test]
fn a_signature_in_the_message_is_none() {
    for message in ["x\n\n-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n", GPGSIG] {
        let text = commit("", message);
        assert_eq!(parse(text.as_bytes()).unwrap().signature(), None);
        assert_eq!(salvage(text.as_bytes()).unwrap().signature, None);
    }
}

#[test]
fn author_and_committer_are_compared_to_the_byte() {
    let same = commit("", "m\n");
    assert!(parse(same.as_bytes()).unwrap().same_author_and_committer());
    for other in
        [WHO.replace("1700000000", "1700000001"), WHO.replace("+0130", "+0000"), WHO.replace('A', "a")]
    {
        let text = same.replacen(&format!("committer {WHO}"), &format!("committer {other}"), 1);
        assert!(!parse(text.as_bytes()).unwrap().same_author_and_committer(), "{other}");
    }
}

#[test]
fn headers_in_odd_places_are_refused() {
    use RawCommitError as E;
    let good = commit("", "m\n");
    refused("", E::Tree);
    refused(good.replacen("tree", "Tree", 1), E::Tree);
    refused(good.replacen(TREE, &TREE.to_uppercase(), 1), E::Tree);
    refused(good.replacen(TREE, &format!("{TREE}0"), 1), E::Tree);
    refused(good.replacen(OTHER, "11", 1), E::Parent);
    refused(format!("{GPGSIG}{good}"), E::Tree);
    refused(good.replacen("parent", &format!("{GPGSIG}parent"), 1), E::Author);
    refused(good.replacen("author", &format!("{GPGSIG}author"), 1), E::Author);
    refused(good.replacen("committer", &format!("{GPGSIG}committer"), 1), E::Committer);
    refused(good.replacen("author", "author x\nauthor", 1), E::Author);
    refused(good.replacen("committer", " folded\ncommitter", 1), E::Committer);
    refused(commit(" folded\n", "m\n"), E::Header);
    for repeated in ["tree", "parent", "author", "committer"] {
        refused(commit(&format!("{repeated} {OTHER}\n"), "m\n"), E::RepeatedHeader);
    }
    refused(commit("encoding UTF-8\nencoding UTF-8\n", "m\n"), E::RepeatedHeader);
    refused(commit("encoding\n", "m\n"), E::Header);
    refused(commit("HG:extra x\n", "m\n"), E::Header);
    refused(commit("-a x\n", "m\n"), E::Header);
    refused(commit(&format!("{GPGSIG}{GPGSIG}"), "m\n"), E::SeveralSignatures);
    refused(commit("gpgsig-sha256 x\n", "m\n"), E::SeveralSignatures);
    refused(commit("gpgsigx y\n", "m\n"), E::SeveralSignatures);
    refused(good.trim_end_matches("\nm\n"), E::NoMessage);
    refused(good.trim_end_matches("\n\nm\n"), E::Committer);
    let many: Vec<String> = (0..=MOST_HEADERS).map(|n| format!("x{n} y\n")).collect();
    refused(commit(&many.concat(), "m\n"), E::TooManyHeaders);
    assert!(parse(commit(&many[1..].concat(), "m\n").as_bytes()).is_ok());
}

#[test]
fn bytes_that_readers_disagree_on_are_refused_anywhere() {
    use RawCommitError as E;
    refused(commit("", "a\0b\n"), E::Nul);
    refused(commit("", "a\r\n"), E::CarriageReturn);
    refused(commit("encoding UTF-8\r\n", "a\n"), E::CarriageReturn);
    refused([commit("", "a").as_bytes(), b"\xff\n"].concat(), E::NotUtf8);
    refused(commit("", &"x".repeat(COMMIT_BYTES)), E::TooLarge);
}

#[test]
fn dates_have_one_spelling() {
    for bad in [
        "A <a@b> 01 +0000",
        "A <a@b> -1 +0000",
        "A <a@b> +1 +0000",
        "A <a@b> 1  +0000",
        "A <a@b>  1 +0000",
        "A <a@b> 1 +000",
        "A <a@b> 1 +00000",
        "A <a@b> 1 0000",
        "A <a@b> 1",
        "A <a@b> 1 +0000 ",
        "A <a@b> 1 é000",
        "A <a@b> 253402300800 +0000",
        "A <a@b> 99999999999999999999 +0000",
        "A <a@b>1 +0000",
        "A a@b 1 +0000",
        "A<a@b> 1 +0000",
        "A <a@b> 1 +0000> 2 +0000",
        "A <a<b> 1 +0000",
        "A <a@b> <c@d> 1 +0000",
        "",
    ] {
        let good = commit("", "m\n");
        refused(
            good.replace(&format!("committer {WHO}"), &format!("committer {bad}")),
            RawCommitError::Committer,
        );
        refused(good.replace(&format!("author {WHO}"), &format!("author {bad}")), RawCommitError::Author);
    }
    for good in ["A <a@b> 0 -0000", " <> 1 +9999", "<> 1 +0000", "Ünï <a b> 253402300799 +0000"] {
        let text = commit("", "m\n").replace(WHO, good);
        assert!(parse(text.as_bytes()).is_ok(), "{good}");
    }
}

#[test]
fn ancestry_stands_where_the_rest_is_malformed() {
    let good = commit("", "m\n");
    let whole = parse_links(good.as_bytes()).unwrap();
    for bad in [
        good.replace("m\n", "m\0\r\n"),
        good.replace(TREE, &TREE.to_uppercase()),
        commit("gpgsig x\ngpgsig y\nparent 0\n", "m"),
    ] {
        assert!(parse(bad.as_bytes()).is_err());
        assert_eq!(parse_links(bad.as_bytes()).unwrap(), whole);
    }
    for unreadable in
        ["", "tree 12\n", &good.replace(OTHER, &OTHER.replace("11", "g1")), &format!("tree {TREE}\n")]
    {
        assert_eq!(parse_links(unreadable.as_bytes()), None, "{unreadable}");
    }
    let headless = format!("tree {TREE}\n\nx");
    let links = parse_links(headless.as_bytes()).unwrap();
    assert_eq!((links.parents, links.committer_time), (vec![], None));
    // Too short to hold an id: git's loop ends here without an error.
    let short = format!("tree {TREE}\nparent {}\n", &OTHER[..39]);
    assert_eq!(parse_links(short.as_bytes()).unwrap().parents, []);
}

#[test]
fn what_an_odd_commit_forbids_can_still_be_read() {
    let odd = commit(&format!("{GPGSIG}HG:x y\ngpgsig-sha256 z\n folded\n"), "Reject\r\n\nGate: a/b\0\n");
    let salvaged = salvage(odd.as_bytes()).unwrap();
    assert_eq!(salvaged.payload, commit("HG:x y\n", "Reject\r\n\nGate: a/b\0\n").as_bytes());
    assert!(salvaged.signature.unwrap().ends_with(b"-----END SSH SIGNATURE-----\n"));
    assert_eq!(salvaged.message, "Reject\r\n\nGate: a/b\0\n");
}

proptest! {
    #[test]
    fn no_bytes_panic_and_both_readers_agree(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
                                             cut in any::<prop::sample::Index>()) {
        let mut bytes = commit(&format!("encoding UTF-8\n{GPGSIG}"), "Subject\n\nBody\n").into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 4));
        let salvaged = salvage(&bytes);
        if let Ok(read) = parse(&bytes) {
            let salvaged = salvaged.unwrap();
            prop_assert_eq!(salvaged.links.tree, read.tree());
            prop_assert_eq!(&salvaged.links.parents, read.parents());
            prop_assert_eq!(salvaged.links.committer_time, Some(read.committer_time()));
            prop_assert_eq!(salvaged.signature, read.signature().map(String::into_bytes));
            prop_assert_eq!(salvaged.payload, read.payload());
            prop_assert_eq!(salvaged.message, read.message());
        }
    }
}
