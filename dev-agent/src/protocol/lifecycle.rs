//! Lookup, announce and readiness (docs/PROTOCOL.md, "Life cycle").

use serde_json::{Value, json};

use super::handle::{Answer, Handler};
use crate::notice::Notice;
use crate::validate::{Rule, announce, socket};

impl Handler<'_> {
    pub(super) fn lookup(&mut self) -> Answer {
        self.state.lookups += 1;
        let version = env!("CARGO_PKG_VERSION");
        let answer = json!({"version": "1.1.999", "dev": true, "name": "instana-dev-agent", "dev_version": version});
        Answer::json(answer.to_string())
    }

    pub(super) fn announce(&mut self, plugin: &str, body: &Value) -> Answer {
        let Some(members) = self.object(body) else {
            return Answer::empty(400);
        };
        announce::check(members, self.report);
        if self.state.config.check_sockets {
            socket::check(members, self.request.ends, self.report);
        }
        let Some(sent) = body.get("pid").and_then(Value::as_u64) else {
            return Answer::empty(400);
        };
        if self.state.reject_announces > 0 {
            self.state.reject_announces -= 1;
            return Answer::empty(404);
        }
        let text = self.state.answer.render(plugin, sent);
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let answered = answer.get("pid").and_then(Value::as_u64);
        let pid = answered.unwrap_or_else(|| self.state.answer.answered_pid(sent));
        let process = self.state.processes.announce(pid, plugin);
        process.sent_pid = sent;
        process.plugin = plugin.into();
        process.announce = body.clone();
        process.answer = answer;
        process.announced();
        let again = process.announces > 1;
        let name = process.name();
        if self.state.processes.announced() > self.state.lookups
            && !again
            && !self.state.config.strangers
        {
            self.report.text(
                Rule::OrderLookup,
                "url",
                "",
                "there was no GET / for this process",
            );
        }
        self.state.tell(&Notice::Announced {
            pid,
            plugin: plugin.to_owned(),
            name,
            again,
        });
        Answer::json(text)
    }

    /// Whether the pid is known, or the 404 that it gets.
    pub(super) fn known(&mut self, plugin: &str, pid: u64) -> Result<(), Answer> {
        let answered = self
            .state
            .processes
            .iter()
            .find(|process| process.sent_pid == pid)
            .map(|process| process.pid);
        match (self.state.processes.get_mut(pid), answered) {
            (Some(process), _) => {
                if *process.plugin != *plugin {
                    let message = format!("the process announced itself as {}", process.plugin);
                    self.report.text(Rule::UrlPlugin, "url", plugin, message);
                }
                if process.known {
                    Ok(())
                } else {
                    Err(Answer::empty(404))
                }
            }
            (None, Some(answered)) => {
                let message = format!("the announce of {pid} was answered with pid {answered}");
                self.report
                    .text(Rule::UrlPid, "url", &pid.to_string(), message);
                Err(Answer::empty(404))
            }
            (None, None) => {
                if !self.state.config.strangers {
                    let message = "no announce was answered with this pid";
                    self.report
                        .text(Rule::UrlPid, "url", &pid.to_string(), message);
                }
                Err(Answer::empty(404))
            }
        }
    }

    pub(super) fn ready(&mut self, plugin: &str, pid: u64) -> Answer {
        if let Err(answer) = self.known(plugin, pid) {
            return answer;
        }
        let reject = self.state.reject_ready;
        let Some(process) = self.state.processes.get_mut(pid) else {
            return Answer::empty(404);
        };
        process.ready_checks += 1;
        if process.ready_checks <= reject {
            return Answer::empty(404);
        }
        process.ready = true;
        Answer::empty(200)
    }
}
