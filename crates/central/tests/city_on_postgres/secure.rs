//! A server that is reached over the network: TLS by the authority that the settings name, and a password from a file.

use crate::server::{owner, program, run};
use central::db::{Address, Connection, Error, ServerAddress, params};
use rcgen::{CertificateParams, KeyPair};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct SecureServer {
    folder: TempDir,
    port: u16,
}

impl SecureServer {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, port };
        for (name, host) in [("server", "localhost"), ("other", "localhost"), ("elsewhere", "db.example")] {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().self_signed(&key).unwrap();
            server.write(&format!("{name}.pem"), &certificate.pem());
            server.write(&format!("{name}.key"), &key.serialize_pem());
        }
        server.write("password", "swordfish\n");
        server.write("wrong", "catfish\n");
        server.own(server.folder.path());
        run(owner(), &program("initdb"), |initdb| {
            initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--username=central"]);
            initdb.arg("--pwfile").arg(server.path("password")).arg("--pgdata").arg(server.path("data"));
        });
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {port} -c ssl=on -c ssl_cert_file={} -c ssl_key_file={} -k {}",
            server.path("server.pem").display(),
            server.path("server.key").display(),
            server.folder.path().display()
        );
        run(owner(), &program("pg_ctl"), |pg_ctl| {
            pg_ctl.args(["start", "--silent", "--wait", "--log"]).arg(server.path("log"));
            pg_ctl.arg("--pgdata").arg(server.path("data")).arg("--options").arg(options);
        });
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
        self.own(&self.path(name));
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = owner() {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn open(&self, host: &str, authority: &str, password: &str) -> Result<Connection, Error> {
        let url = format!("postgres://central@{host}:{}/postgres", self.port);
        let (password, authority) = (self.path(password), self.path(authority));
        let address = ServerAddress::parse(&url, Some(&password), Some(&authority))?;
        Connection::open(&Address::Server(Box::new(address)), false)
    }
}

impl Drop for SecureServer {
    fn drop(&mut self) {
        run(owner(), &program("pg_ctl"), |pg_ctl| {
            pg_ctl.args(["stop", "--silent", "--mode", "immediate", "--pgdata"]).arg(self.path("data"));
        });
    }
}

#[test]
fn a_server_proves_itself_by_the_named_authority_and_central_by_its_password() {
    let server = SecureServer::start();
    let connection = server.open("localhost", "server.pem", "password").unwrap();
    let is_encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert!(connection.query_row(is_encrypted, params![], |row| row.get::<bool>(0)).unwrap());
    let refused = |host, authority, password| server.open(host, authority, password).unwrap_err().to_string();
    for authority in ["other.pem", "elsewhere.pem", "password", "missing.pem"] {
        refused("localhost", authority, "password");
    }
    // Its certificate is of another name than this one.
    refused("127.0.0.1", "server.pem", "password");
    let said = refused("localhost", "server.pem", "wrong");
    assert!(said.contains("28P01") && !said.contains("fish"), "{said}");
}
