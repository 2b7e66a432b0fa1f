//! What a whole run of the program writes down: lines that machines read, and nobody's data.

use crate::fixture::{City, TERMINAL};
use crate::uploads::{document, top_up, upload};
use ledger::Ledger;
use protocol::http::{CARDS_PATH, ENROL_PATH, KEYS_BEGIN_PATH, UPLOADS_PATH, bearer};
use protocol::{CodeBatch, Enrolment, Secret32};
use reqwest::Client;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

/// The real program, serving.
pub(crate) struct Process {
    child: Child,
    /// Reads the log as it is written: a full pipe would hold the program up.
    log: JoinHandle<String>,
    pub(crate) url: String,
}

impl Process {
    fn serve(city: &City) -> Self {
        Self::serve_with(city, &[])
    }

    /// With further arguments.
    pub(crate) fn serve_with(city: &City, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citizen-central"));
        command.arg("--data").arg(city.data.path()).args(["--log-format", "json", "serve", "--port", "0"]);
        command.arg("--with-parent").args(more).env("RUST_LOG", "trace");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).unwrap();
            log
        });
        Self { child, log, url }
    }

    /// Told to stop; what it had logged.
    pub(crate) fn stop(mut self) -> String {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

/// Everything that may be asked, well and badly; the ids of the problems.
async fn all_that_happens(city: &City, bundle: &Enrolment, code: &str) -> Vec<String> {
    let (client, head) = (Client::new(), city.keys().head_key().unwrap().verifier());
    let url = |path: &str| format!("{}{path}", bundle.central);
    let own = bearer(&bundle.access_token);
    let stranger = bearer(&Secret32::new([0x5C; 32]));
    let codes = CodeBatch::verify(&bundle.codes, TERMINAL, &head).unwrap().codes;
    let mut instances = Vec::new();
    let mut post = async |path: &str, token: &str, body: Vec<u8>| {
        let answer = client.post(url(path)).header("authorization", token).body(body).send().await.unwrap();
        let problem: Option<Value> = serde_json::from_slice(&answer.bytes().await.unwrap()).ok();
        let instance = problem.and_then(|problem| Some(problem.get("instance")?.as_str()?.to_owned()));
        instances.extend(instance);
    };
    for (key, entry) in (1..).zip(top_up(&mut Ledger::new(TERMINAL, 1), 9)) {
        post(UPLOADS_PATH, &own, upload(&entry, key)).await;
    }
    post(UPLOADS_PATH, &own, document(city, codes[0], 20).encode().unwrap()).await;
    let stolen = document(city, domain::DocumentCode([3; 16]), 21);
    post(UPLOADS_PATH, &own, stolen.encode().unwrap()).await;
    for path in [UPLOADS_PATH, CARDS_PATH, KEYS_BEGIN_PATH, ENROL_PATH] {
        post(path, &own, code.as_bytes().to_vec()).await;
        post(path, &stranger, code.as_bytes().to_vec()).await;
    }
    for path in ["/", "/ledger", "/documents", "/office/reconciliation", "/office/fleet", "/nothing"] {
        client.get(url(path)).send().await.unwrap();
    }
    client.get(url(&format!("/check/{code}"))).send().await.unwrap();
    client.get(url(&format!("/check?code={code}"))).send().await.unwrap();
    instances
}

#[tokio::test]
async fn a_whole_run_logs_every_problem_under_its_id_and_nobodys_data() {
    let city = City::seeded(90, 20, 2);
    city.publish();
    let process = Process::serve(&city);
    let bundle = city.enrol(&process.url);
    let head = city.keys().head_key().unwrap().verifier();
    let code = CodeBatch::verify(&bundle.codes, TERMINAL, &head).unwrap().codes[0].to_print();
    let instances = all_that_happens(&city, &bundle, &code).await;
    let log = process.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.len() > 20, "{}", lines.len());

    assert!(instances.len() > 6, "{instances:?}");
    for instance in &instances {
        let id = instance.strip_prefix("urn:citizen:request:").unwrap();
        let of = |line: &&Value| line["span"]["id"] == id && line["message"] == "answered";
        assert_eq!(lines.iter().filter(of).count(), 1, "{instance}");
    }
    let noticed = lines.iter().find(|line| line["message"] == "noticed").unwrap();
    assert!(noticed["terminal"] == TERMINAL.0, "{noticed}");

    let token = bearer(&bundle.access_token);
    let secret = token.strip_prefix("Bearer ").unwrap();
    let mut never =
        vec![secret.to_owned(), "5c5c5c5c5c".into(), code.clone(), code.replace('-', ""), "swordfish".into()];
    let people = "SELECT name, identity_number FROM holder";
    let people =
        city.database().read().query(people, &[], |row| Ok([row.get::<String>(0)?, row.get::<String>(1)?])).unwrap();
    assert_eq!(people.len(), 20);
    never.extend(people.into_iter().flatten());
    never.push("3300000017".to_owned());
    never.extend(crate::uploads::personal());
    for personal in never {
        assert!(!log.contains(&personal), "{personal}");
    }
}
