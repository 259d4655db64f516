//! Whether the agent takes spans; none is sent.

use super::code::Code;
use super::connection::Request;
use super::examination::Visit;
use super::report::{Diagnosis, Report};

/// More than the usual limit of proxies (1 MiB), less than the tracer's 5 MiB.
const LARGE: usize = 2 * 1024 * 1024;

impl Visit<'_> {
    /// Sends no spans: `[]`, and the same with many blanks.
    pub(super) fn send_none(&self, pid: u64, report: &mut Report) -> Result<(), Diagnosis> {
        let status = self.post(pid, b"[]")?;
        match status {
            200..300 => {}
            404 => {
                let finding = "spans are answered 404 right after the announce";
                return Err(Diagnosis::new(Code::SpansUnknownPid, finding));
            }
            413 => return Err(too_large("413 for 2 bytes")),
            status => {
                let finding = format!("spans are answered {status}");
                return Err(Diagnosis::new(Code::SpansRefused, finding));
            }
        }
        let mut large = vec![b' '; LARGE];
        if let Some((first, last)) = large.split_first_mut().and_then(|(first, rest)| {
            let last = rest.last_mut()?;
            Some((first, last))
        }) {
            (*first, *last) = (b'[', b']');
        }
        match self.post(pid, &large) {
            Ok(200..300) => {
                report.fact("spans", "accepted, in bodies of 2 MiB too");
                Ok(())
            }
            Ok(status) => Err(too_large(&format!("{status} for 2 MiB"))),
            Err(found) if found.code == Code::Closed => Err(too_large("closed at 2 MiB")),
            Err(found) => Err(found),
        }
    }

    fn post(&self, pid: u64, body: &[u8]) -> Result<u16, Diagnosis> {
        let path = format!("/com.instana.plugin.{}/traces.{pid}", self.settings.plugin);
        let request = Request {
            method: "POST",
            path: &path,
            body,
        };
        Ok(self.agent.ask("sending spans", request)?.status)
    }
}

fn too_large(seen: &str) -> Diagnosis {
    Diagnosis::new(Code::SpansTooLarge, format!("sending spans: {seen}"))
}
