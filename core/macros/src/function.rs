//! The function that the attribute stands on.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Error, FnArg, Ident, PatIdent, Result, Signature, Token, Visibility, braced, token,
};

/// A function whose body was not looked at: an error in it is the compiler's.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) brace: token::Brace,
    /// Attributes at the beginning of the body.
    pub(crate) inner_attributes: Vec<Attribute>,
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        refuse_others(input)?;
        let signature: Signature = input.parse()?;
        refuse(&signature)?;
        if input.peek(Token![;]) {
            let message = "no body to trace: `#[instana::trace]` goes on the methods of the `impl`";
            return Err(Error::new_spanned(signature, message));
        }
        let content;
        let brace = braced!(content in input);
        Ok(Self {
            attributes,
            visibility,
            signature,
            brace,
            inner_attributes: content.call(Attribute::parse_inner)?,
            body: content.parse()?,
        })
    }
}

impl Function {
    /// The names that the arguments bind.
    pub(crate) fn arguments(&self) -> Vec<Ident> {
        let mut names = Names(Vec::new());
        for argument in &self.signature.inputs {
            if let FnArg::Typed(typed) = argument {
                names.visit_pat(&typed.pat);
            }
        }
        names.0
    }
}

struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.push(pattern.ident.clone());
        visit::visit_pat_ident(self, pattern);
    }
}

/// Items that are no functions.
fn refuse_others(input: ParseStream<'_>) -> Result<()> {
    let message = if input.peek(Token![impl]) {
        "`#[instana::trace]` goes on functions: put it on the methods of this `impl`"
    } else if input.peek(Token![struct])
        || input.peek(Token![enum])
        || input.peek(Token![union])
        || input.peek(Token![trait])
        || input.peek(Token![mod])
        || input.peek(Token![static])
        || input.peek(Token![type])
        || input.peek(Token![use])
        || input.peek(Token![let])
        || (input.peek(Token![const]) && input.peek3(Token![:]))
    {
        "`#[instana::trace]` goes on functions"
    } else {
        return Ok(());
    };
    Err(input.error(message))
}

/// Functions that cannot be traced.
fn refuse(signature: &Signature) -> Result<()> {
    if let Some(constness) = &signature.constness {
        let message = "a `const fn` cannot be traced: it may run in the compiler";
        return Err(Error::new_spanned(constness, message));
    }
    if let syn::Safety::Unsafe(unsafety) = &signature.safety {
        let message = "an `unsafe fn` cannot be traced: its body would be in a closure, which is \
                       safe; trace a function that calls it";
        return Err(Error::new_spanned(unsafety, message));
    }
    if let Some(abi) = &signature.abi {
        let message = "an `extern fn` cannot be traced: what it is called by may not unwind; \
                       trace a function that it calls";
        return Err(Error::new_spanned(abi, message));
    }
    Ok(())
}
