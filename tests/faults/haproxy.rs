//! A load balancer before two processes: Debian's haproxy, as operators set it up.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// It ends with this value.
pub struct Haproxy {
    child: Child,
    _directory: tempfile::TempDir,
}

impl Haproxy {
    /// The program, where it is installed.
    pub fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories =
            std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
        directories.map(|directory| directory.join("haproxy")).find(|program| program.is_file())
    }

    /// Leads this port to those. A connection that is refused is tried elsewhere; a request that was sent is not.
    pub fn start(program: &PathBuf, port: u16, behind: &[u16]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let servers: String =
            behind.iter().map(|port| format!("  server p{port} 127.0.0.1:{port} check\n")).collect();
        let settings = format!(
            "global\n  maxconn 2000\n\
             defaults\n  mode http\n  timeout connect 1s\n  timeout client 30s\n  timeout server 30s\n\
             frontend front\n  bind 127.0.0.1:{port}\n  default_backend behind\n\
             backend behind\n  balance roundrobin\n  option httpchk GET /health/ready\n  option redispatch\n\
             \x20 retries 3\n  retry-on conn-failure\n  default-server inter 500ms fall 2 rise 1\n{servers}"
        );
        let file = crate::site::file(directory.path(), "haproxy.cfg", &settings);
        let child = Command::new(program)
            .args(["-db", "-f"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, _directory: directory }
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
