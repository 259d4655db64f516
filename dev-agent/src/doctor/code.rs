//! `Code`: one table of all reasons that the doctor can find, with advice.

use std::fmt;

macro_rules! codes {
    ($($variant:ident $name:literal $note:literal, $means:literal, $fix:literal;)*) => {
        /// A finding of the doctor: a problem, or a note, which is no reason for a
        /// process to be missing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $means] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable kebab-case name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is wrong.
            #[must_use]
            pub fn means(self) -> &'static str {
                match self { $(Self::$variant => $means,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn fix(self) -> &'static str {
                match self { $(Self::$variant => $fix,)* }
            }

            /// Whether it is a note and no problem.
            #[must_use]
            pub fn is_note(self) -> bool {
                match self { $(Self::$variant => $note,)* }
            }
        }
    };
}

codes! {
    EnvHost "env-host" false, "`INSTANA_AGENT_HOST` is no host name or IP address, so 127.0.0.1 is used.", "Set the bare name or address, without `http://`, path and port; the port is `INSTANA_AGENT_PORT`.";
    EnvPort "env-port" false, "`INSTANA_AGENT_PORT` is no port, so 42699 is used.", "Set a number from 1 to 65535, or unset it.";
    EnvOtlpPort "env-otlp-port" false, "`INSTANA_AGENT_PORT` is a port of OpenTelemetry (4317, 4318).", "Unset it: tracers talk to port 42699 of the same agent.";
    EnvSecrets "env-secrets" false, "`INSTANA_SECRETS` has an unknown matcher or no terms, so the agent's secrets are used.", "Write `matcher:term,term` with equals, equals-ignore-case, contains, contains-ignore-case, regex, or `none`.";
    EnvValue "env-value" false, "A variable has an invalid value or an invalid part, which is ignored.", "Correct the value (docs/ENVIRONMENT.md lists them), or unset the variable.";
    EnvAnyText "env-any-text" false, "A variable that any text switches on is set to a word for no.", "Unset the variable; `false` and `0` switch it on too.";
    EnvContradiction "env-contradiction" false, "Two variables contradict each other, or one is set without the other that it needs.", "Keep one of the two, or set both.";
    EnvMisspelt "env-misspelt" false, "A variable is unknown, and its name is close to a known one.", "Correct the name; names are in upper case.";
    EnvTracingOff "env-tracing-off" false, "`INSTANA_TRACING_DISABLE` (or a variable that adds to it) switches all tracing off.", "Unset it, or name the categories to leave out.";
    EnvUnread "env-unread" true, "A variable of another Instana tracer is set that this tracer does not read.", "Nothing, or unset it: the finding says what applies instead.";
    ConfigMissing "config-missing" false, "A configuration file that a variable names does not exist.", "Mount the file into the container, correct the path, or unset the variable.";
    ConfigUnusable "config-unusable" false, "A configuration file cannot be read, or is visibly not the expected YAML.", "Make it a readable regular file of at most 1 MiB with `tracing:` (or `secrets:`, `plugin:`) at its top, indented with blanks.";
    ProxyVariables "proxy-variables" true, "Variables for an HTTP proxy are set; tracers connect to the agent directly.", "Nothing, if the agent is reachable without the proxy; otherwise allow direct connections to its port.";

    ProcMissing "proc-missing" false, "`/proc` is missing, so neither the socket nor the command line can be announced.", "Mount `/proc` in the container or chroot: without it an agent outside of it cannot find the process.";
    ProcHidepid "proc-hidepid" true, "`/proc` hides the processes of other users (`hidepid`).", "Run the agent (and this doctor, for `--pid`) as root, or mount `/proc` without `hidepid`.";
    SocketUnnamed "socket-unnamed" false, "The socket to the agent has no `socket:[N]` in `/proc/self/fd`, so it cannot be announced.", "Allow the process to read its own `/proc/self/fd` (seccomp, sandboxes such as gVisor).";

    ProcessMissing "process-missing" false, "There is no process with this pid here.", "Take the pid from the same PID namespace as the doctor's: run `ps` in the same container.";
    ProcessHidden "process-hidden" false, "The process cannot be inspected.", "Run the doctor as root or as the user of the process.";
    ProcessNamespace "process-namespace" true, "The process is in another network namespace, so it may reach the agent by another route.", "Run the doctor in the container of the process (`docker exec`, `kubectl exec`, `nsenter -t PID -n`).";
    ProcessOtherAgent "process-other-agent" false, "The process is configured for another agent than the examined one.", "Leave out `--agent`, or set `INSTANA_AGENT_HOST` and `INSTANA_AGENT_PORT` of the process.";
    ProcessUnconnected "process-unconnected" false, "The process has no connection to the agent: its tracer does not run or cannot reach it.", "Call `instana::init()` in `main` and keep its guard; set `INSTANA_LOG_LEVEL=info` and read the tracer's log lines.";

    NameUnresolved "name-unresolved" false, "The agent's host name does not resolve.", "Correct `INSTANA_AGENT_HOST`, or use an IP address (Kubernetes: `status.hostIP` by the downward API).";
    NameSlow "name-slow" false, "Resolving the agent's host name takes longer than 3 s.", "Fix the name servers in `/etc/resolv.conf`, or use an IP address.";
    ConnectRefused "connect-refused" false, "Nothing listens at the agent's address: the connection is refused.", "Start the agent, or set `INSTANA_AGENT_HOST` to the host that has one. In a container, 127.0.0.1 is the container itself: use the address of its host (Kubernetes: `status.hostIP`).";
    ConnectTimeout "connect-timeout" false, "Connecting gets no answer: packets are dropped, or the machine is down.", "Open TCP port 42699 in firewalls, security groups and network policies from here to the agent; check the address.";
    ConnectUnreachable "connect-unreachable" false, "There is no route to the agent's address.", "Check the address, and the routes and network of this host or container.";
    ConnectFailed "connect-failed" false, "Connecting fails because of this machine.", "See the reason in the finding (file descriptors, permissions, free ports).";
    AgentAtGateway "agent-at-gateway" true, "The agent runs on the default gateway, not on the configured host; the tracer uses the gateway.", "Set `INSTANA_AGENT_HOST` to the gateway's address, to save this lookup at each start.";

    Tls "tls" false, "The port speaks TLS; tracers connect to agents without TLS.", "Point to the agent's own port 42699, not to an ingress, mesh or backend (port 443 is Instana's backend).";
    Http2 "http2" false, "The port speaks HTTP/2 only, as OpenTelemetry's port 4317 does.", "Point to the agent's port 42699.";
    NotHttp "not-http" false, "Something listens, but it does not speak HTTP.", "Correct host and port: another service has this port.";
    Closed "closed" false, "The connection is accepted and then closed without an answer.", "Check what listens there: a proxy or mesh without a target, or an agent that allows other addresses only.";
    NoAnswer "no-answer" false, "The connection is accepted, but no answer comes.", "Restart the agent and look at its load and log; check proxies in between.";
    AgentSlow "agent-slow" false, "The agent answers later than the tracer waits.", "Give the agent more CPU and memory, or raise `INSTANA_AGENT_REQUEST_TIMEOUT` (milliseconds).";
    BrokenAnswer "broken-answer" false, "An answer is cut off, too large or not valid HTTP.", "Look for a proxy in between; restart the agent.";
    Redirect "redirect" false, "The port answers with a redirect, as web applications and ingresses do; tracers do not follow it.", "Point to the agent itself, port 42699.";
    AccessDenied "access-denied" false, "Access is denied (401, 403, 407); agents ask for no credentials.", "Point to the agent itself; remove proxies and access lists in between.";
    BadGateway "bad-gateway" false, "A proxy answers that it cannot reach the agent (502, 504).", "Fix the proxy's target, or point to the agent itself.";
    AgentStarting "agent-starting" false, "The agent is running but not ready (503).", "Wait until it has started; if that does not help, look at its log.";
    NotAgent "not-an-agent" false, "An HTTP server answers, but it is no Instana agent.", "Correct host and port: a web application has this port.";

    ClockSkew "clock-skew" false, "The agent's clock and this machine's clock differ by more than 5 s, so spans have wrong times.", "Synchronise both machines (NTP, chrony).";

    PluginUnknown "plugin-unknown" false, "The agent refuses the plugin's name (404) and accepts `golang`.", "Set `INSTANA_PLUGIN_NAME=golang`: the process is shown as a Go runtime. Without it, the tracer sends traces only.";
    ProcessNotFound "process-not-found" false, "The agent refuses every announce (404) and accepts raw traces: it does not find this process, or does not know this plugin.", "Let the agent see this host's processes (`--pid=host`, `--privileged`; Kubernetes: `hostPID: true`), on the same machine. Until then, traces come without metrics and agent settings.";
    AnnounceRefused "announce-refused" false, "The agent refuses the announce.", "Look into the agent's log; check that nothing in between changes methods (PUT) or paths.";
    AnnounceGarbage "announce-garbage" false, "The answer to the announce is no JSON object.", "Check proxies in between; update the agent.";
    AnnounceNoPid "announce-no-pid" false, "The answer to the announce has no usable `pid`.", "Check proxies in between; update the agent.";
    AnnounceNoUuid "announce-no-uuid" false, "The answer to the announce has no usable `agentUuid`.", "Check proxies in between; update the agent.";
    AnnounceOtherPid "announce-other-pid" false, "The agent identifies this process as another one, although both are in the same PID namespace.", "Use one agent for each host, on this host: a load balancer or another host's agent answers here.";
    PidUnmapped "pid-unmapped" true, "The process has a PID namespace of its own, and the agent answers with the pid in that namespace.", "Let the agent see the host's processes (`hostPID: true`), unless it shares this namespace.";
    AnnounceSecrets "announce-secrets" false, "The agent answers without usable secrets; the tracer redacts by its default (key, pass, secret).", "Set `com.instana.secrets` in the agent's configuration.yaml, or `INSTANA_SECRETS`.";
    NotReady "not-ready" false, "The announce is accepted, but the agent does not become ready for data.", "Wait and repeat; then look into the agent's log: its sensor for this plugin may be missing or failing.";
    SpansTooLarge "spans-too-large" false, "Bodies of 2 MiB are refused (413, or the connection is closed), so spans are lost when there are many.", "Raise the body limit of the proxy in between (nginx: `client_max_body_size 10m`), or bypass the proxy.";
    SpansUnknownPid "spans-unknown-pid" false, "The agent forgets the process at once: several agents answer here, or it restarts.", "Point each host to its own agent, not to a load balancer (Kubernetes: `internalTrafficPolicy: Local`, or `status.hostIP`).";
    SpansRefused "spans-refused" false, "The agent refuses spans.", "Look into the agent's log; update the agent.";

    OutOfTime "out-of-time" false, "The time for all checks ended before the last check.", "Fix the slow step above, and repeat.";
}

impl Code {
    /// The code of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The table of all codes, as Markdown.
    #[must_use]
    pub fn table() -> String {
        let mut out = String::from("| code | what is wrong | what to do |\n|---|---|---|\n");
        for code in Self::ALL {
            let note = if code.is_note() { " (note)" } else { "" };
            let row = format!("| `{code}`{note} | {} | {} |\n", code.means(), code.fix());
            out.push_str(&row);
        }
        out
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_kebab_case() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.name()), "{code} twice");
            let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(code.name().bytes().all(sound), "{code}");
            assert_eq!(Code::named(code.name()), Some(*code));
        }
    }

    #[test]
    fn the_readme_has_this_table() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&Code::table()), "{}", Code::table());
    }
}
