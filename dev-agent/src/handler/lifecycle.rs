//! Lookup, announce and readiness (docs/PROTOCOL.md, "Life cycle").

use serde_json::{Value, json};

use super::{Answer, Answered, Handler};
use crate::notice::Notice;
use crate::validate::{Rule, announce, socket};

impl Handler<'_> {
    pub(super) fn lookup(&mut self) -> Answer {
        self.state.lookups += 1;
        let version = env!("CARGO_PKG_VERSION");
        let answer = json!({"version": "1.1.999", "dev": true, "name": "instana-dev-agent", "dev_version": version});
        Answer::json(answer.to_string())
    }

    pub(super) fn announce(&mut self, plugin: &str, body: &Value) -> Answered {
        let members = self.object(body)?;
        announce::check(members, self.report);
        if self.state.config.check_sockets {
            socket::check(members, self.request.ends, self.report);
        }
        let sent = body.get("pid").and_then(Value::as_u64).ok_or(400_u16)?;
        if self.state.reject_announces > 0 {
            self.state.reject_announces -= 1;
            return Err(404);
        }
        let text = self.state.answer.render(plugin, sent);
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let answered = answer.get("pid").and_then(Value::as_u64);
        let pid = answered.unwrap_or_else(|| self.state.answer.answered_pid(sent));
        let process = self.state.processes.announce(pid, plugin);
        process.sent_pid = sent;
        process.plugin = plugin.into();
        process.announced(body, answer);
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
        self.state.notify(&Notice::Announced {
            pid,
            plugin: plugin.to_owned(),
            name,
            again,
        });
        Ok(Answer::json(text))
    }

    /// Whether the pid is known, or the 404 that it gets.
    pub(super) fn known(&mut self, plugin: &str, pid: u64) -> Result<(), u16> {
        let answered = self.state.processes.sent(pid);
        match (self.state.processes.get_mut(pid), answered) {
            (Some(process), _) => {
                if *process.plugin != *plugin {
                    let message = format!("the process announced itself as {}", process.plugin);
                    self.report.text(Rule::UrlPlugin, "url", plugin, message);
                }
                if process.known { Ok(()) } else { Err(404) }
            }
            (None, Some(answered)) => {
                let message = format!("the announce of {pid} was answered with pid {answered}");
                self.report
                    .text(Rule::UrlPid, "url", &pid.to_string(), message);
                Err(404)
            }
            (None, None) => {
                if !self.state.config.strangers {
                    let message = "no announce was answered with this pid";
                    self.report
                        .text(Rule::UrlPid, "url", &pid.to_string(), message);
                }
                Err(404)
            }
        }
    }

    pub(super) fn ready(&mut self, plugin: &str, pid: u64) -> Answered {
        self.known(plugin, pid)?;
        let reject = self.state.reject_ready;
        let process = self.state.processes.get_mut(pid).ok_or(404_u16)?;
        process.ready_checks += 1;
        if process.ready_checks <= reject {
            return Err(404);
        }
        process.ready = true;
        Err(200)
    }
}
