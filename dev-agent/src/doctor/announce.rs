//! The announce and the readiness check.

use std::thread;

use serde_json::{Value, json};

use super::answer::Answer;
use super::code::Code;
use super::connection::Request;
use super::examination::Visit;
use super::report::{Diagnosis, Report};
use super::surroundings::{Identity, SocketName, Surroundings};
use crate::protocol::AnnounceAnswer;

const ANNOUNCE: &str = "announce";
const READY: &str = "readiness check";

impl Visit<'_> {
    /// Announces the doctor itself. Returns the answered pid, or a diagnosis.
    pub(super) fn announce(&self, report: &mut Report) -> Result<u64, Diagnosis> {
        let plugin = self.settings.plugin.as_str();
        let mut answer = self.announce_as(plugin, report)?;
        for _ in 1..self.tries {
            // The agent looks for new processes once in a while.
            if answer.status != 404 || self.budget.is_over() {
                break;
            }
            thread::sleep(self.budget.part(self.pause));
            answer = self.announce_as(plugin, report)?;
        }
        match answer.status {
            200..300 => {}
            404 => return Err(self.unknown(report)),
            status => {
                let finding = format!("the announce as {plugin} is answered {status}");
                return Err(Diagnosis::new(Code::AnnounceRefused, finding));
            }
        }
        let parsed = serde_json::from_slice(&answer.body).unwrap_or_default();
        let pid = self.judge(&parsed, report)?;
        report.fact(ANNOUNCE, format!("accepted as {plugin}, pid {pid}"));
        Ok(pid)
    }

    fn announce_as(&self, plugin: &str, report: &mut Report) -> Result<Answer, Diagnosis> {
        let trouble =
            |failure: super::failure::Failure| failure.diagnose("the announce", &self.agent.name);
        let connection = self.agent.connect().map_err(trouble)?;
        let socket = self.around.socket(connection.stream());
        let named = socket.is_some() || !self.around.is_there() || !Surroundings::expected();
        if !named && !report.codes().contains(&Code::SocketUnnamed) {
            let finding = "/proc/self/fd has no link for the socket to the agent";
            report.found(Diagnosis::new(Code::SocketUnnamed, finding));
        }
        let body = body(self.identity, socket.as_ref()).to_string();
        let request = Request {
            method: "PUT",
            path: &format!("/com.instana.plugin.{plugin}.discovery"),
            body: body.as_bytes(),
        };
        let answer = connection.ask(&self.agent.name, request).map_err(trouble)?;
        self.agent.in_time("the announce", answer)
    }

    /// The diagnosis for an announce that is always answered 404.
    fn unknown(&self, report: &mut Report) -> Diagnosis {
        let plugin = self.settings.plugin.as_str();
        let refused = format!(
            "the announce as {plugin} is answered 404 ({} times)",
            self.tries
        );
        let go = plugin != "golang"
            && self
                .announce_as("golang", report)
                .is_ok_and(|answer| answer.is_success());
        if go {
            let finding = format!("{refused}, as golang it is accepted");
            return Diagnosis::new(Code::PluginUnknown, finding);
        }
        let request = Request {
            method: "POST",
            path: "/com.instana.plugin.generic.rawtrace",
            body: b"[]",
        };
        match self.agent.ask("a raw trace", request) {
            Ok(answer) if answer.is_success() => {
                let finding = format!("{refused}, raw traces are accepted");
                Diagnosis::new(Code::ProcessNotFound, finding)
            }
            Ok(answer) => {
                let finding = format!("{refused}, a raw trace {}", answer.status);
                Diagnosis::new(Code::AnnounceRefused, finding)
            }
            Err(_) => Diagnosis::new(Code::AnnounceRefused, refused),
        }
    }

    /// Reads a 2xx answer as the tracer does.
    fn judge(&self, answer: &Value, report: &mut Report) -> Result<u64, Diagnosis> {
        let Some(members) = answer.as_object() else {
            let finding = "the answer to the announce is no JSON object";
            return Err(Diagnosis::new(Code::AnnounceGarbage, finding));
        };
        let pid = match members.get("pid") {
            Some(Value::String(text)) => text.trim().parse().ok(),
            pid => pid.and_then(Value::as_u64),
        };
        let Some(pid) = pid.filter(|pid: &u64| *pid > 0) else {
            let shown = members
                .get("pid")
                .map_or("none".to_owned(), Value::to_string);
            let finding = format!("the answered pid is {shown}");
            return Err(Diagnosis::new(Code::AnnounceNoPid, finding));
        };
        let uuid = members.get("agentUuid").and_then(Value::as_str);
        if uuid.is_none_or(|uuid| uuid.trim().is_empty()) {
            let finding = "the answer to the announce has no agentUuid";
            return Err(Diagnosis::new(Code::AnnounceNoUuid, finding));
        }
        self.judge_pid(pid, report);
        if !self.settings.own_secrets && !are_secrets(members.get("secrets")) {
            let finding = "the answer to the announce has no usable secrets";
            report.found(Diagnosis::new(Code::AnnounceSecrets, finding));
        }
        Ok(pid)
    }

    fn judge_pid(&self, answered: u64, report: &mut Report) {
        let sent = self.identity.pid;
        match self.around.initial_pid_namespace() {
            Some(true) if answered != sent => {
                let finding = format!("pid {sent} was announced, pid {answered} answered");
                report.found(Diagnosis::new(Code::AnnounceOtherPid, finding));
            }
            Some(false) if answered == sent && !self.identity.from_parent => {
                let finding = format!("pid {sent} of a container was answered unchanged");
                report.found(Diagnosis::new(Code::PidUnmapped, finding));
            }
            _ => {}
        }
    }

    /// Waits until the agent is ready for data.
    pub(super) fn wait_ready(&self, pid: u64, report: &mut Report) -> Result<(), Diagnosis> {
        let path = format!("/com.instana.plugin.{}.{pid}", self.settings.plugin);
        let request = Request {
            method: "HEAD",
            path: &path,
            body: b"",
        };
        let mut status = 0;
        for attempt in 0..self.tries {
            if attempt > 0 {
                thread::sleep(self.budget.part(self.pause));
            }
            let answer = self.agent.ask("the readiness check", request)?;
            if answer.is_success() {
                report.fact(READY, "ready for data");
                return Ok(());
            }
            status = answer.status;
            if self.budget.is_over() {
                break;
            }
        }
        let tried = self.tries;
        let finding = format!("the readiness check is answered {status} ({tried} times)");
        Err(Diagnosis::new(Code::NotReady, finding))
    }
}

fn body(identity: &Identity, socket: Option<&SocketName>) -> Value {
    let mut body = json!({
        "pid": identity.pid, "pidFromParentNS": identity.from_parent,
        "name": identity.name, "args": ["doctor"],
    });
    let mut put = |key: &str, value: &str| {
        if let Some(members) = body.as_object_mut() {
            members.insert(key.to_owned(), value.into());
        }
    };
    if let Some(socket) = socket {
        put("fd", &socket.fd);
        put("inode", &socket.inode);
    }
    if let Some(cpuset) = &identity.cpuset {
        put("cpuSetFileContent", cpuset);
    }
    body
}

fn are_secrets(secrets: Option<&Value>) -> bool {
    let member = |key: &str| secrets.and_then(|secrets| secrets.get(key));
    let matcher = member("matcher")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let matcher = matcher.trim().to_ascii_lowercase();
    let list = member("list").and_then(Value::as_array);
    let texts = list.is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string));
    AnnounceAnswer::MATCHERS.contains(&matcher.as_str()) && (texts || matcher == "none")
}
