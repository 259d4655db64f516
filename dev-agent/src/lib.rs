//! dev agent
