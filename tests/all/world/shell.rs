//! A person at a shell: a home of their own, a git configuration that signs with their key, the program on the `PATH`.

use std::path::{Path, PathBuf};

use super::{Run, World, mail};

impl World {
    /// Makes the home of `who`, in which git signs with their key; where it is.
    pub(crate) fn home_of(&self, who: &str) -> PathBuf {
        let home = self.dir().join("homes").join(who);
        std::fs::create_dir_all(&home).unwrap();
        let config = format!(
            "[user]\n\tname = {who}\n\temail = {}\n\tsigningkey = {}\n[gpg]\n\tformat = ssh\n",
            mail(who),
            self.key(who).display()
        );
        std::fs::write(home.join(".gitconfig"), config).unwrap();
        home
    }

    /// Runs a script as somebody at a terminal would; what it says on either stream is in `stdout`, in its order.
    pub(crate) fn shell(&self, dir: &Path, home: &Path, variables: &[(String, String)], script: &str) -> Run {
        let program = Path::new(env!("CARGO_BIN_EXE_git-gate"));
        let mut command = self.command("sh", dir);
        let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
        command
            .args(["-c", &format!("{{ {script}\n}} 2>&1")])
            .env_remove("GIT_CONFIG_GLOBAL")
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", home)
            .env("PATH", path)
            .envs(variables.iter().map(|(name, value)| (name, value)));
        Run::of(command, b"")
    }
}
