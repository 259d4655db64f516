//! HTTP around the protocol: one thread, one current-thread runtime.

mod access;
mod bodies;
mod connection;
mod connections;
mod control;
mod gathering;
mod io;
mod query;
mod reply;

use std::net::SocketAddr;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle as Task;

use self::bodies::Bodies;
use self::connection::Hub;
use self::connections::{Connections, Timeouts};
use crate::state::Shared;

/// More connections than there ever are.
const ALL: u32 = 1 << 20;

/// The agent's thread.
#[derive(Debug)]
pub(crate) struct Server {
    commands: mpsc::UnboundedSender<Command>,
    addr: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Command {
    Listen(std::sync::mpsc::SyncSender<std::io::Result<()>>),
    Stop(std::sync::mpsc::SyncSender<()>),
}

impl Server {
    pub(crate) fn start(shared: Arc<Shared>, listen: SocketAddr) -> std::io::Result<Self> {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (ready, started) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("instana-dev-agent".to_owned())
            .spawn(move || run(shared, listen, receiver, &ready))?;
        let lost = |_| std::io::Error::other("the agent's thread ended");
        let addr = started.recv().map_err(lost)??;
        Ok(Self {
            commands,
            addr,
            thread: Some(thread),
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn stop(&self) {
        let (done, wait) = sync_channel(1);
        if self.commands.send(Command::Stop(done)).is_ok() {
            let _ = wait.recv();
        }
    }

    pub(crate) fn listen(&self) -> std::io::Result<()> {
        let (done, wait) = sync_channel(1);
        let ended = || std::io::Error::other("the agent's thread ended");
        self.commands
            .send(Command::Listen(done))
            .map_err(|_| ended())?;
        wait.recv().map_err(|_| ended())?
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing the channel ends the thread.
        let (closed, _) = mpsc::unbounded_channel();
        self.commands = closed;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    shared: Arc<Shared>,
    listen: SocketAddr,
    mut commands: mpsc::UnboundedReceiver<Command>,
    ready: &std::sync::mpsc::SyncSender<std::io::Result<SocketAddr>>,
) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let timeouts = shared.read(|state| Timeouts::of(&state.config));
        let hub = Hub {
            bodies: Arc::new(Bodies::new(Arc::clone(&shared))),
            timeouts,
            answers: Arc::new(Semaphore::new(1)),
            shared: Arc::clone(&shared),
        };
        let mut agent = Agent {
            shared,
            hub: Arc::new(hub),
            addr: OnceLock::new(),
            running: Arc::new(Semaphore::new(ALL as usize)),
            accepting: None,
            reserved: None,
        };
        if let Err(error) = agent.listen(listen) {
            let _ = ready.send(Err(error));
            return;
        }
        tokio::spawn(finish_traces(Arc::clone(&agent.shared)));
        let _ = ready.send(Ok(agent.addr()));
        while let Some(command) = commands.recv().await {
            match command {
                Command::Listen(done) => {
                    let listening = agent.listen(agent.addr());
                    let _ = done.send(listening);
                }
                Command::Stop(done) => {
                    agent.stop().await;
                    let _ = done.send(());
                }
            }
        }
    });
}

struct Agent {
    shared: Arc<Shared>,
    hub: Arc<Hub>,
    addr: OnceLock<SocketAddr>,
    /// Each connection that is served holds a permit.
    running: Arc<Semaphore>,
    accepting: Option<Task<()>>,
    /// Keeps the port while the agent is stopped: another process's outgoing
    /// connection could take it. Bound and not listening, it refuses connections.
    reserved: Option<TcpSocket>,
}

impl Agent {
    fn addr(&self) -> SocketAddr {
        let unset = SocketAddr::from(([0, 0, 0, 0], 0));
        self.addr.get().copied().unwrap_or(unset)
    }

    fn listen(&mut self, addr: SocketAddr) -> std::io::Result<()> {
        let socket = match self.reserved.take() {
            Some(reserved) => reserved,
            None => bind(addr)?,
        };
        let listener = socket.listen(1024)?;
        self.addr
            .get_or_init(|| listener.local_addr().unwrap_or(addr));
        let accept = accept(listener, Arc::clone(&self.hub), Arc::clone(&self.running));
        self.accepting = Some(tokio::spawn(accept));
        Ok(())
    }

    async fn stop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
            self.reserved = bind(self.addr()).ok();
        }
        self.shared.hang_up.send_modify(|count| *count += 1);
        // Connections give their permits back when they are closed.
        let _ = self.running.acquire_many(ALL).await;
    }
}

fn bind(addr: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // As listeners of the standard library: closed connections do not block the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, hub: Arc<Hub>, running: Arc<Semaphore>) {
    let connections = Arc::new(Connections::default());
    let limit = hub.shared.read(|state| {
        let roomy = state.memory.total() / (256 * 1024);
        state.config.connections.min(roomy)
    });
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, mostly: others have to close first.
            connections.close_one();
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&running).acquire_owned().await else {
            return;
        };
        let (connection, full) = connections.open(limit);
        if full {
            hub.shared.change(|state| state.closed += 1);
        }
        // Subscribed before the task starts: a hang-up in between counts.
        let hang_up = hub.shared.hang_up.subscribe();
        let (hub, connections) = (Arc::clone(&hub), Arc::clone(&connections));
        tokio::spawn(async move {
            connection::serve(stream, peer, hub, Arc::clone(&connection), hang_up).await;
            connections.closed(&connection);
            drop(permit);
        });
    }
}

/// Hands traces to subscribers once no span came for a while.
async fn finish_traces(shared: Arc<Shared>) {
    loop {
        let next = shared.change(|state| state.finish_traces(Instant::now()));
        tokio::task::yield_now().await;
        match next {
            Some(next) => tokio::time::sleep_until(next.into()).await,
            None => shared.spans.notified().await,
        }
    }
}
