//! The kernel's tables of TCP sockets, `/proc/<pid>/net/tcp` and `tcp6` (Linux).

use std::fs;
use std::path::Path;

/// A socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) local_port: u16,
    pub(crate) remote_port: u16,
    pub(crate) established: bool,
    pub(crate) inode: u64,
}

/// The rows of both tables below `net`, for instance `/proc/self/net`; none
/// where there are no such tables.
pub(crate) fn read(net: &Path) -> Vec<Row> {
    ["tcp", "tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(net.join(table)).ok())
        .flat_map(|text| text.lines().filter_map(row).collect::<Vec<_>>())
        .collect()
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.split_ascii_whitespace();
    let port = |address: Option<&str>| {
        let (_, port) = address?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    let local_port = port(fields.nth(1))?;
    let remote_port = port(fields.next())?;
    let established = fields.next()? == "01";
    let inode = fields.nth(5)?.parse().ok()?;
    Some(Row {
        local_port,
        remote_port,
        established,
        inode,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rows_of_both_tables() {
        let v4 = "   3: 0100007F:AED6 0100007F:A6CB 01 00000000:00000000 02:00000A2B 00000000     0        0 162034 2 0000 20 4 30 10 -1";
        let v6 = "   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:D431 06 00000000:00000000 00:00000000 00000000  1000        0 77 1 0000 20 0 0 10 -1";
        let expected = Row {
            local_port: 0xAED6,
            remote_port: 42699,
            established: true,
            inode: 162_034,
        };
        assert_eq!(row(v4), Some(expected));
        assert_eq!(
            row(v6).map(|row| (row.local_port, row.established, row.inode)),
            Some((80, false, 77))
        );
        assert_eq!(row("  sl  local_address rem_address   st"), None);
    }
}
