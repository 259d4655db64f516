//! stub
pub(crate) trait SpanSource: Send {
    fn encode(&mut self, origin: &Origin<'_>, body: &mut Vec<u8>) -> usize;
    fn acknowledge(&mut self);
    fn retry(&mut self);
    fn reject(&mut self);
    fn pending(&self) -> bool;
    fn tick(&mut self);
}
pub(crate) struct Origin<'a> {
    pub(crate) pid: &'a str,
    pub(crate) host: Option<&'a str>,
}
