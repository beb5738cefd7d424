//! A server of its own for each test: the program itself, on a free port, asked over HTTP.

#![allow(dead_code, reason = "not all of it is needed by each of the tests")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{collections::BTreeMap, fs, path::PathBuf};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Nothing takes longer, unless it is broken.
const BOUND: Duration = Duration::from_secs(20);

/// Where a config is kept.
pub struct Folder(TempDir);

impl Folder {
    pub fn new(config: &str) -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write(config);
        folder
    }

    /// A config that says nothing of where to listen.
    pub fn write(&self, config: &str) {
        fs::write(self.config(), format!("listen = \"127.0.0.1:0\"\n{config}")).unwrap();
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
        let request = self.client.post(format!("{}/infer", self.url)).body(body.to_owned());
        let response = with(headers, request).timeout(BOUND).send().await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let [model, accuracy, reason, retry_after] =
            ["x-model", "x-accuracy-percent", "x-reason", "retry-after"].map(header);
        let status = response.status();
        Answer { status, model, accuracy, reason, retry_after, body: response.text().await.unwrap() }
    }

    /// What `/explain` says of each model, by its name.
    pub async fn explain(&self, headers: &[(&str, &str)]) -> BTreeMap<String, Value> {
        let request = with(headers, self.client.get(format!("{}/explain", self.url)));
        let response = request.timeout(BOUND).send().await.unwrap().error_for_status();
        let models: Vec<Value> = response.unwrap().json().await.unwrap();
        models.into_iter().map(|model| (model["model"].as_str().unwrap().to_owned(), model)).collect()
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
        let kill = format!("kill -HUP {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    }
}

fn with(headers: &[(&str, &str)], request: RequestBuilder) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
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

    /// Of the places that the config gives requests, those that are taken.
    pub fn in_flight(&self, most: usize) -> usize {
        most - self.sum("free_places", &[]) as usize
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
