//! All announced processes, by pid.

use std::collections::BTreeMap;

use super::Process;
use crate::store::Ageing;

/// Processes by answered pid, bounded.
#[derive(Debug)]
pub(crate) struct Processes {
    by_pid: BTreeMap<u64, Process>,
    limit: usize,
    ticks: u64,
    /// Different processes that ever announced themselves.
    announced: u64,
}

impl Processes {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            by_pid: BTreeMap::new(),
            limit,
            ticks: 0,
            announced: 0,
        }
    }

    pub(crate) fn get(&self, pid: u64) -> Option<&Process> {
        self.by_pid.get(&pid)
    }

    pub(crate) fn get_mut(&mut self, pid: u64) -> Option<&mut Process> {
        self.ticks += 1;
        let process = self.by_pid.get_mut(&pid)?;
        process.seen = self.ticks;
        Some(process)
    }

    /// The process of that pid, created if it is new; then the process that was silent
    /// for longest is dropped if there are too many.
    pub(crate) fn announce(&mut self, pid: u64, plugin: &str) -> &mut Process {
        self.ticks += 1;
        if !self.by_pid.contains_key(&pid) {
            self.announced += 1;
            if self.by_pid.len() >= self.limit {
                let oldest = self
                    .by_pid
                    .values()
                    .min_by_key(|process| (process.known, process.seen));
                if let Some(oldest) = oldest.map(Process::pid) {
                    self.by_pid.remove(&oldest);
                }
            }
        }
        let process = self
            .by_pid
            .entry(pid)
            .or_insert_with(|| Process::new(pid, plugin));
        process.seen = self.ticks;
        process
    }

    pub(crate) fn announced(&self) -> u64 {
        self.announced
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Process> {
        self.by_pid.values()
    }

    pub(crate) fn forget(&mut self) {
        for process in self.by_pid.values_mut() {
            process.known = false;
            process.ready = false;
            process.queued.clear();
        }
    }

    pub(crate) fn clear_data(&mut self) {
        self.by_pid.values_mut().for_each(Process::clear_data);
    }

    /// The other process of that pid as sent, by the answered one.
    pub(crate) fn sent(&self, pid: u64) -> Option<u64> {
        let sent = self.iter().find(|process| process.sent_pid == pid)?;
        Some(sent.pid)
    }

    /// Bodies that were dropped because of their bytes.
    pub(crate) fn dropped(&self) -> u64 {
        self.iter().map(Process::dropped).sum()
    }

    /// The bytes of what is queued for all processes.
    pub(crate) fn queued(&self) -> usize {
        let queued = self.iter().flat_map(|process| &process.queued);
        queued.map(crate::json::weight).sum()
    }

    pub(super) fn ageing(&mut self) -> impl Iterator<Item = &mut dyn Ageing> {
        let each = self.by_pid.values_mut();
        each.map(|process| process as &mut dyn Ageing)
    }

    pub(super) fn bytes(&self) -> usize {
        self.iter().map(Ageing::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_makes_room() {
        let mut processes = Processes::new(2);
        processes.announce(1, "rust").known = true;
        processes.announce(2, "rust").known = true;
        assert!(processes.get_mut(1).is_some());
        processes.announce(3, "rust").known = true;
        let pids: Vec<_> = processes.iter().map(Process::pid).collect();
        assert_eq!((pids, processes.announced()), (vec![1, 3], 3));
    }
}
