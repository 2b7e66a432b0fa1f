use crate::fixture::{City, TERMINAL};
use crate::uploads::{document, top_up, upload};
use central::{CityServer, Running, serve};
use domain::TerminalId;
use ledger::Ledger;
use protocol::http::{CBOR, HEAD_PATH, HEALTH_PATH, UPLOADS_PATH, bearer, codes_path, file_path};
use protocol::{
    Central, CodeBatch, Enrolment, FileHash, Manifest, Problem, ProblemCode, Receipt, Secret32, SignedHead, Upload,
};
use reqwest::Client;

pub(crate) struct Street {
    pub(crate) city: City,
    pub(crate) running: Running,
    pub(crate) bundle: Enrolment,
    client: Client,
}

async fn street(seed: u64) -> Street {
    Street::of(City::seeded(seed, 20, 0)).await
}

impl Street {
    /// The city published and served, with one terminal.
    pub(crate) async fn of(city: City) -> Self {
        city.publish();
        let running = serve(CityServer::open(city.data.clone()).unwrap(), 0).await.unwrap();
        let bundle = city.enrol(&running.url());
        Self { city, running, bundle, client: Client::new() }
    }

    /// A city that is served already.
    pub(crate) fn served(city: City, running: Running, bundle: Enrolment) -> Self {
        Self { city, running, bundle, client: Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.bundle.central)
    }

    async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    async fn page(&self, path: &str) -> String {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}");
        String::from_utf8(body).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, token: &Secret32, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = self.client.post(self.url(path)).header("authorization", bearer(token).as_str());
        let answer = request.header("content-type", CBOR).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    pub(crate) async fn refused(&self, path: &str, token: &Secret32, body: Vec<u8>) -> ProblemCode {
        let (status, body) = self.post(path, token, body).await;
        let problem = Problem::from_answer(status, &body);
        assert_eq!(problem.code.status(), status);
        problem.code
    }
}

#[tokio::test]
async fn head_and_files_come_over_http_and_verify() {
    let street = street(31).await;
    assert_eq!(street.get(HEALTH_PATH).await, (200, b"ok\n".to_vec()));
    let (status, body) = street.get(HEAD_PATH).await;
    assert_eq!(status, 200);
    let head: SignedHead = serde_json::from_slice(&body).unwrap();
    let verified = head.verify(&street.bundle.city, &street.bundle.root_key).unwrap();
    let (_, manifest) = street.get(&file_path(verified.head.manifest)).await;
    assert_eq!(FileHash::of(&manifest), verified.head.manifest);
    for entry in Manifest::decode(&manifest).unwrap().files {
        let (status, bytes) = street.get(&file_path(entry.sha256)).await;
        assert!(status == 200 && entry.is(&bytes), "{}", entry.name);
    }
    assert_eq!(street.get(&file_path(FileHash([0; 32]))).await.0, 404);
    assert_eq!(street.get("/v1/files/..%2f..%2fkeys.json").await.0, 404);
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn codes_and_uploads_need_the_terminals_own_token() {
    let street = street(32).await;
    let token = street.bundle.access_token.clone();
    let (status, batch) = street.post(&codes_path(TERMINAL, 5), &token, vec![]).await;
    assert_eq!(status, 200);
    let head = street.city.keys().head_key().unwrap().verifier();
    assert_eq!(CodeBatch::verify(&batch, TERMINAL, &head).unwrap().codes.len(), 5);

    let stranger = Secret32::new([0; 32]);
    assert_eq!(street.refused(&codes_path(TERMINAL, 5), &stranger, vec![]).await, ProblemCode::Unauthorised);
    assert_eq!(street.refused(&codes_path(TerminalId(4), 5), &token, vec![]).await, ProblemCode::Unauthorised);
    assert_eq!(street.refused(&codes_path(TERMINAL, 0), &token, vec![]).await, ProblemCode::Malformed);
    assert_eq!(street.refused(UPLOADS_PATH, &stranger, vec![]).await, ProblemCode::Unauthorised);
    assert_eq!(street.refused(UPLOADS_PATH, &token, b"?".to_vec()).await, ProblemCode::Malformed);
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_code_cannot_be_checked_before_the_deposit_and_can_after() {
    let street = street(33).await;
    let head = street.city.keys().head_key().unwrap().verifier();
    let code = CodeBatch::verify(&street.bundle.codes, TERMINAL, &head).unwrap().codes[0];
    let path = format!("/check/{}", code.to_print());

    let before = street.page(&path).await;
    assert!(before.contains("Todavía no recibido") && before.contains("No acepte el documento solo por este código"));
    assert_eq!(street.get(&format!("{path}/document.pdf")).await.0, 404);
    let never = street.page("/check/AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AA").await;
    assert_eq!(before, never, "a code never given out looks like one not yet deposited");

    let bytes = document(&street.city, code, 1).encode().unwrap();
    let (status, receipt) = street.post(UPLOADS_PATH, &street.bundle.access_token, bytes.clone()).await;
    assert_eq!(status, 200);
    Receipt::decode(&receipt).unwrap().verify(&bytes, &head).unwrap();
    let (_, again) = street.post(UPLOADS_PATH, &street.bundle.access_token, bytes).await;
    assert_eq!(receipt, again);

    let after = street.page(&path).await;
    assert!(after.contains("Documento recibido y auténtico") && after.contains("Calle de la Ola 3"));
    assert!(after.contains("Nel &lt;b&gt;Marea&lt;/b&gt; Uría"), "a name is text, whatever it holds");
    assert_eq!(street.get(&format!("{path}/document.pdf")).await.1, b"%PDF-1.7 invented");
    let list = street.page("/documents").await;
    assert!(list.contains(&code.to_print()[..4]) && !list.contains(&code.to_print()));
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn the_ledger_page_shows_a_top_up_its_end_and_a_sum_of_nothing() {
    let street = street(37).await;
    assert!(street.page("/ledger").await.contains("Todavía no hay recargas"));
    for (key, entry) in (1..).zip(top_up(&mut Ledger::new(TERMINAL, 1), 9)) {
        let (status, _) = street.post(UPLOADS_PATH, &street.bundle.access_token, upload(&entry, key)).await;
        assert_eq!(status, 200);
    }
    let page = street.page("/ledger").await.replace('\u{a0}', " ");
    assert!(page.contains("completada") && page.contains("…0017") && page.contains("20,00 €"));
    assert!(page.contains("Suma de todas las cuentas: <strong>0,00 €</strong>"));
    assert!(street.page("/").await.contains("todos los diarios cuadran"));
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn every_page_is_shown_without_scripts_or_foreign_assets() {
    let street = street(34).await;
    let pages = ["/", "/ledger", "/documents", "/check", "/check?code=nonsense", "/check/nonsense"];
    for path in pages.into_iter().chain(["/office/reconciliation"]) {
        let page = street.page(path).await;
        assert!(page.contains("Ciudad de la Bahía") && page.contains("<h1>"), "{path}");
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{path}");
    }
    let answer = street.client.get(street.url("/ledger")).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"));
    assert!(street.page("/style.css").await.contains(":root"));
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn the_finance_page_shows_claims_journals_and_differences_and_gives_them_as_csv() {
    let mut books = crate::money::Street::open();
    books.claim(crate::money::OURS);
    let street = Street::of(books.city).await;
    let page = street.page("/office/reconciliation").await;
    let code = ledger::ClaimCode::of(crate::money::OURS).to_string();
    assert!(page.contains("Reclamaciones abiertas") && page.contains(&code), "{page}");
    assert!(page.contains("que se vea la tarjeta") && page.contains("Diarios"), "{page}");
    let answer = street.client.get(street.url("/office/reconciliation.csv")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("cause,owner,amount_cents,since,top_up,claim_code,card,terminal,detail\r\n"), "{text}");
    street.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_no_longer_listens() {
    let street = street(35).await;
    let url = street.url(HEALTH_PATH);
    street.running.stop().await.unwrap();
    assert!(street.client.get(url).send().await.is_err());
}

/// The same conversation through the trait, without a socket.
#[tokio::test]
async fn the_server_is_a_central_itself() {
    async fn first_head(central: &impl Central) -> Result<SignedHead, Problem> {
        central.head().await
    }
    let city = City::seeded(36, 20, 0);
    let server = CityServer::open(city.data.clone()).unwrap();
    assert_eq!(first_head(&server).await.unwrap_err().code, ProblemCode::NotFound);
    city.publish();
    let bundle = city.enrol("http://127.0.0.1:1");
    let verified = first_head(&server).await.unwrap().verify(&bundle.city, &bundle.root_key).unwrap();
    assert_eq!(FileHash::of(&server.file(verified.head.manifest).await.unwrap()), verified.head.manifest);
    let batch = server.code_batch(TERMINAL, 2).await.unwrap().verify(TERMINAL, &verified.keys.head).unwrap();
    let upload: Upload = document(&city, batch.codes[0], 1);
    let receipt = server.upload(&upload).await.unwrap();
    assert_eq!(receipt, server.upload(&upload).await.unwrap());
}
