//! The servers, a file each.

pub(crate) mod aws;
pub(crate) mod kafka;
pub(crate) mod mariadb;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod redis_cluster;
pub(crate) mod redis_sentinel;
