//! A server of its own for each test: the program itself, on a free port, asked over HTTP.

#![allow(dead_code, reason = "not all of it is needed by each of the tests")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, path::PathBuf};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Nothing takes longer, unless it is broken.
const BOUND: Duration = Duration::from_secs(20);

/// Where a config and what was learnt are kept, whichever servers come and go.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(config: &str) -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write(config);
        folder
    }

    /// A config that says nothing of where to listen and to keep what was learnt.
    pub fn write(&self, config: &str) {
        let learnt = self.learnt();
        let config = format!("listen = \"127.0.0.1:0\"\nlearnt = {learnt:?}\n{config}");
        fs::write(self.config(), config).unwrap();
    }

    pub fn learnt(&self) -> PathBuf {
        self.0.path().join("learnt.json")
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }
}

pub struct Server {
    process: Child,
    url: String,
    client: Client,
    complaints: Arc<Mutex<String>>,
}

/// What `/infer` gave.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub model: String,
    pub accuracy: String,
    pub reason: String,
    pub retry_after: String,
    pub body: String,
}

impl Server {
    /// Started and ready.
    pub async fn start(folder: &Folder) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mdinference-axum"))
            .arg(folder.config())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let complaints = Arc::new(Mutex::new(String::new()));
        let (mut stderr, kept) = (BufReader::new(process.stderr.take().unwrap()).lines(), complaints.clone());
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(BOUND, stdout.next_line()).await.unwrap().unwrap();
        let line = line.unwrap_or_else(|| panic!("it has not started: {}", complaints.lock().unwrap()));
        let url = format!("http://{}", line.strip_prefix("listening on ").unwrap());
        Self { process, url, client: Client::new(), complaints }
    }

    pub async fn infer(&self, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_infer(body, headers).await.unwrap()
    }

    async fn try_infer(&self, body: &str, headers: &[(&str, &str)]) -> reqwest::Result<Answer> {
        let request = self.client.post(format!("{}/infer", self.url)).body(body.to_owned());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.timeout(BOUND).send().await?;
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let [model, accuracy, reason, retry_after] =
            ["x-model", "x-accuracy-percent", "x-reason", "retry-after"].map(header);
        let status = response.status();
        Ok(Answer { status, model, accuracy, reason, retry_after, body: response.text().await? })
    }

    pub async fn explain(&self, query: &str) -> Value {
        let response = self.client.get(format!("{}/explain?{query}", self.url)).timeout(BOUND).send().await;
        response.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    pub async fn feedback(&self, model: &str, right: bool) -> StatusCode {
        let request = self.client.post(format!("{}/feedback/{model}/{right}", self.url));
        request.timeout(BOUND).send().await.unwrap().status()
    }

    pub async fn metrics(&self) -> Metrics {
        let response = self.client.get(format!("{}/metrics", self.url)).timeout(BOUND).send().await;
        Metrics(response.unwrap().error_for_status().unwrap().text().await.unwrap())
    }

    /// What it has said to whoever runs it.
    pub fn complaints(&self) -> String {
        self.complaints.lock().unwrap().clone()
    }

    /// To read its config again.
    pub async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    /// To answer what it has begun, and end.
    pub async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// Once it has ended, and well.
    pub async fn ended(mut self) {
        let status = timeout(BOUND, self.process.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}: {}", self.complaints());
    }

    async fn signal(&self, signal: &str) {
        let process = self.process.id().unwrap();
        let kill = format!("kill {signal} {process}");
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    }
}

/// What `/metrics` tells.
pub struct Metrics(pub String);

impl Metrics {
    /// The sum over all of this name whose labels are such.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let named = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (of, rest) = series.split_once('{').unwrap_or((series, ""));
            let such = labels.iter().all(|(label, value)| rest.contains(&format!("{label}=\"{value}\"")));
            (of == format!("mdinference_{name}") && such).then(|| value.parse::<f64>().unwrap())
        });
        named.sum()
    }

    pub fn stands(&self, model: &str, standing: &str) -> bool {
        self.sum("standing", &[("model", model), ("standing", standing)]) == 1.0
    }

    pub fn mean_ms(&self, model: &str) -> f64 {
        self.sum("mean_ms", &[("model", model)])
    }
}

/// Waits for something to be so.
pub async fn until(what: &str, so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !so().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, waiting).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}
