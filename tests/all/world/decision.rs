//! The message of a decision as a person would type it, digests filled in by [`super::Repo::decide`].

/// Trailers, in order; `Gate-Content` and `Gate-Policy` are computed where they are still `?`.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    subject: String,
    trailers: Vec<(String, String)>,
}

impl Decision {
    /// `Gate` and `Gate-Action` alone.
    pub(crate) fn new(action: &str, gate: &str) -> Self {
        let trailers = vec![("Gate".into(), gate.into()), ("Gate-Action".into(), action.into())];
        Self { subject: format!("{action} {gate}"), trailers }
    }

    pub(crate) fn approve(gate: &str, role: &str) -> Self {
        Self::new("approve", gate).line("Gate-Role", role).seen()
    }

    pub(crate) fn reject(gate: &str, role: &str, reason: &str) -> Self {
        Self::new("reject", gate).line("Gate-Role", role).seen().line("Gate-Reason", reason)
    }

    pub(crate) fn withdraw(gate: &str) -> Self {
        Self::new("withdraw", gate)
    }

    pub(crate) fn close(gate: &str) -> Self {
        Self::new("close", gate)
    }

    pub(crate) fn accept_risk(gate: &str, role: &str) -> Self {
        Self::new("accept-risk", gate).line("Gate-Role", role).seen()
    }

    pub(crate) fn deploy(gate: &str, environment: &str, basis: &str, root: &str) -> Self {
        let decision = Self::new("deploy", gate).seen().line("Gate-Environment", environment);
        decision.line("Gate-Basis", basis).line("Gate-Root", root)
    }

    /// With one more trailer.
    pub(crate) fn line(mut self, token: &str, value: &str) -> Self {
        self.trailers.push((token.into(), value.into()));
        self
    }

    /// With words between subject and trailers.
    pub(crate) fn words(mut self, text: &str) -> Self {
        self.subject = format!("{}\n\n{text}", self.subject);
        self
    }

    /// With the value of a trailer replaced.
    #[track_caller]
    pub(crate) fn setting(mut self, token: &str, value: &str) -> Self {
        let trailer = self.trailers.iter_mut().find(|(name, _value)| name == token).unwrap();
        value.clone_into(&mut trailer.1);
        self
    }

    /// Without a trailer.
    pub(crate) fn without(mut self, token: &str) -> Self {
        self.trailers.retain(|(name, _value)| name != token);
        self
    }

    /// The message; `content` and `policy` say the digests where they are not set.
    pub(super) fn message(&self, content: impl Fn() -> String, policy: impl Fn() -> String) -> String {
        let mut message = format!("{}\n\n", self.subject);
        for (token, value) in &self.trailers {
            let value = match (token.as_str(), value.as_str()) {
                ("Gate-Content", "?") => content(),
                ("Gate-Policy", "?") => policy(),
                (_, value) => value.to_owned(),
            };
            message.extend([token, ": ", &value, "\n"]);
        }
        message
    }

    /// The first value of a trailer.
    pub(super) fn value(&self, token: &str) -> Option<&str> {
        self.trailers.iter().find(|(name, _value)| name == token).map(|(_name, value)| value.as_str())
    }

    fn seen(self) -> Self {
        self.line("Gate-Content", "?").line("Gate-Policy", "?")
    }
}
