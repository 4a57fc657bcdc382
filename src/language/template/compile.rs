//! From a text to instructions, once per text.
//!
//! The template engine knows several moods for undefined values, but not Ansible's. So the syntax tree is rewritten
//! before the instructions are made: variables and attributes become markers when missing (filters `__var`, `__attr`,
//! `__item`), and every operand that must exist passes through `__use`. This needs the engine's `unstable_machinery`,
//! hence its exact version in `Cargo.toml`.

use super::TemplateOptions;
use minijinja::Value;
use minijinja::machinery::ast::{self, CallArg, Expr, Spanned, Stmt};
use minijinja::machinery::{CodeGenerator, Instructions, Span, parse, parse_expr};
use std::collections::BTreeMap;

/// A text ready to run.
pub(super) struct Compiled {
    /// The text that ranges in errors refer to (with doubled backslashes). Kept for the life of the program, as the
    /// cache is: distinct templates are as many as the user wrote.
    pub text: &'static str,
    /// Positions in `text` of bytes that the user did not write.
    pub added: Vec<usize>,
    pub instructions: Instructions<'static>,
    pub blocks: BTreeMap<&'static str, Instructions<'static>>,
    /// One expression alone: its value is the result.
    pub native: bool,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("text", &self.text).finish_non_exhaustive()
    }
}

impl Compiled {
    /// A range of `text` as a range of what the user wrote.
    pub fn written(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let back = |at: usize| at - self.added.iter().filter(|added| **added < at).count();
        back(range.start)..back(range.end)
    }

    /// An inline text: `{{ e }}` alone is an expression. Backslashes in it are literal, as in Ansible.
    pub fn inline(written: &str) -> Result<Self, (minijinja::Error, Vec<usize>)> {
        let (text, added) = double_backslashes(written);
        Self::template("<text>", &text, &TemplateOptions::default(), true, added.clone())
            .map_err(|error| (error, added))
    }

    /// A template file.
    pub fn file(name: &str, text: &str, options: &TemplateOptions) -> Result<Self, minijinja::Error> {
        Self::template(name, text, options, false, Vec::new())
    }

    /// A bare expression, as in `when`: backslashes in it are Jinja's own, as in Ansible, and `'\n'` is a newline.
    pub fn expression(written: &str) -> Result<Self, (minijinja::Error, Vec<usize>)> {
        let text: &'static str = Box::leak(written.into());
        match parse_expr(text) {
            Ok(expr) => Ok(Self::of_expression("<condition>", text, Vec::new(), &expr)),
            Err(error) => Err((error, Vec::new())),
        }
    }

    fn of_expression(name: &'static str, text: &'static str, added: Vec<usize>, expr: &Expr<'static>) -> Self {
        let mut generator = CodeGenerator::new(name, text);
        generator.compile_expr(&Rewriter { text, condition: name == "<condition>" }.expr(expr));
        let (instructions, blocks) = generator.finish();
        Self { text, added, instructions, blocks, native: true }
    }

    fn template(
        name: &str,
        text: &str,
        options: &TemplateOptions,
        native: bool,
        added: Vec<usize>,
    ) -> Result<Self, minijinja::Error> {
        let syntax = options.syntax()?;
        let text: &'static str = Box::leak(text.into());
        let name: &'static str = Box::leak(name.into());
        let tree = parse(text, name, syntax)?;
        if native
            && let Stmt::Template(template) = &tree
            && let [Stmt::EmitExpr(emit)] = template.children.as_slice()
        {
            return Ok(Self::of_expression(name, text, added, &emit.expr));
        }
        let mut generator = CodeGenerator::new(name, text);
        generator.compile_stmt(&Rewriter { text, condition: false }.stmt(&tree));
        let (instructions, blocks) = generator.finish();
        Ok(Self { text, added, instructions, blocks, native: false })
    }
}

/// Doubles the backslashes in the string literals of a text's expressions: `'\1'` in a playbook is those two characters.
fn double_backslashes(text: &str) -> (String, Vec<usize>) {
    if !text.contains('\\') {
        return (text.to_owned(), Vec::new());
    }
    let (mut out, mut added) = (String::with_capacity(text.len() + 8), Vec::new());
    let (mut inside, mut quote) = (false, None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        let next = letters.peek().copied();
        match (inside, quote) {
            (false, _) if letter == '{' && matches!(next, Some('{' | '%')) => {
                inside = true;
                out.extend(letters.next());
            }
            (true, None) if matches!(letter, '}' | '%') && next == Some('}') => inside = false,
            (true, None) if matches!(letter, '\'' | '"') => quote = Some(letter),
            (true, Some(open)) if letter == open => quote = None,
            (true, Some(open)) if letter == '\\' => {
                if next == Some(open) {
                    out.extend(letters.next());
                } else {
                    added.push(out.len());
                    out.push('\\');
                    if next == Some('\\') {
                        letters.next();
                        out.push('\\');
                        added.push(out.len());
                        out.push('\\');
                    }
                }
            }
            _ => {}
        }
    }
    (out, added)
}

/// Makes a new tree from a parsed one.
struct Rewriter {
    text: &'static str,
    /// A condition's quoted texts may be templates themselves.
    condition: bool,
}

type E = Expr<'static>;

impl Rewriter {
    fn exprs(&self, items: &[E]) -> Vec<E> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn option(&self, expr: Option<&E>) -> Option<E> {
        expr.map(|expr| self.expr(expr))
    }

    /// The rewritten operand, which must be defined.
    fn need(&self, expr: &E) -> E {
        match expr {
            // The value of `and` and `or` may be the right operand, which nobody has looked at.
            Expr::BinOp(op) if matches!(op.op, ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr) => {
                filter("__use", self.expr(expr), vec![], expr.span())
            }
            Expr::Const(_) | Expr::BinOp(_) | Expr::Compare(_) | Expr::UnaryOp(_) | Expr::List(_) | Expr::Map(_) => {
                self.expr(expr)
            }
            _ => filter("__use", self.expr(expr), vec![], expr.span()),
        }
    }

    /// The user's text of an expression, for messages.
    fn written(&self, span: Span) -> E {
        let text = self.text.get(span.start_offset as usize..span.end_offset as usize).unwrap_or_default();
        constant(Value::from(text), span)
    }

    fn expr(&self, expr: &E) -> E {
        let span = expr.span();
        match expr {
            Expr::Var(var) => match var.id {
                "loop" | "caller" | "self" | "super" => Expr::Var(Spanned::new(ast::Var { id: var.id }, span)),
                id => filter(
                    "__var",
                    Expr::Var(Spanned::new(ast::Var { id }, span)),
                    vec![constant(Value::from(id), span)],
                    span,
                ),
            },
            Expr::Const(c) if self.condition && c.value.as_str().is_some_and(super::has_marks) => {
                filter("__template", constant(c.value.clone(), span), vec![], span)
            }
            Expr::Const(c) => constant(c.value.clone(), span),
            Expr::Slice(s) => Expr::Slice(Spanned::new(
                ast::Slice {
                    expr: self.need(&s.expr),
                    start: s.start.as_ref().map(|e| self.need(e)),
                    stop: s.stop.as_ref().map(|e| self.need(e)),
                    step: s.step.as_ref().map(|e| self.need(e)),
                },
                span,
            )),
            Expr::UnaryOp(op) => {
                // The kind cannot be copied.
                let kind =
                    if matches!(op.op, ast::UnaryOpKind::Not) { ast::UnaryOpKind::Not } else { ast::UnaryOpKind::Neg };
                Expr::UnaryOp(Spanned::new(ast::UnaryOp { op: kind, expr: self.need(&op.expr) }, span))
            }
            Expr::BinOp(op) => self.operator(op, span),
            Expr::Compare(c) => Expr::Compare(Spanned::new(
                ast::Compare {
                    expr: self.need(&c.expr),
                    ops: c.ops.iter().map(|next| ast::CompareOp { op: next.op, expr: self.need(&next.expr) }).collect(),
                },
                span,
            )),
            Expr::IfExpr(e) => Expr::IfExpr(Spanned::new(
                ast::IfExpr {
                    test_expr: self.need(&e.test_expr),
                    true_expr: self.expr(&e.true_expr),
                    false_expr: Some(match &e.false_expr {
                        Some(otherwise) => self.expr(otherwise),
                        None => filter("__else", constant(Value::from(()), span), vec![], span),
                    }),
                },
                span,
            )),
            Expr::Filter(f) => Expr::Filter(Spanned::new(
                ast::Filter {
                    name: short(f.name),
                    expr: self.option(f.expr.as_ref()),
                    args: self.args(&f.args, false),
                },
                span,
            )),
            Expr::Test(t) => Expr::Test(Spanned::new(
                ast::Test { name: short(t.name), expr: self.expr(&t.expr), args: self.args(&t.args, false) },
                span,
            )),
            Expr::GetAttr(get) => filter(
                "__attr",
                self.expr(&get.expr),
                vec![constant(Value::from(get.name), span), self.written(span)],
                span,
            ),
            Expr::GetItem(get) => {
                filter("__item", self.expr(&get.expr), vec![self.need(&get.subscript_expr), self.written(span)], span)
            }
            Expr::Call(call) => Expr::Call(self.call(call)),
            Expr::List(list) => Expr::List(Spanned::new(ast::List { items: self.exprs(&list.items) }, span)),
            Expr::Tuple(list) => Expr::Tuple(Spanned::new(ast::Tuple { items: self.exprs(&list.items) }, span)),
            Expr::Map(map) => Expr::Map(Spanned::new(
                ast::Map { keys: map.keys.iter().map(|key| self.need(key)).collect(), values: self.exprs(&map.values) },
                span,
            )),
        }
    }

    fn operator(&self, op: &ast::BinOp<'static>, span: Span) -> E {
        use ast::BinOpKind::{Add, Eq, Gt, Gte, Lt, Lte, Ne, Rem, ScAnd, ScOr, Sub};
        let left = self.need(&op.left);
        let named = |name| filter(name, self.need(&op.left), vec![self.need(&op.right)], span);
        match op.op {
            Rem => named("__rem"),
            Add => named("__add"),
            Sub => named("__sub"),
            Lt => named("__lt"),
            Lte => named("__le"),
            Gt => named("__gt"),
            Gte => named("__ge"),
            Eq => named("__eq"),
            Ne => named("__ne"),
            // The right operand of `and`/`or` is their value, not looked at.
            ScAnd | ScOr => {
                Expr::BinOp(Spanned::new(ast::BinOp { op: op.op, left, right: self.expr(&op.right) }, span))
            }
            kind => Expr::BinOp(Spanned::new(ast::BinOp { op: kind, left, right: self.need(&op.right) }, span)),
        }
    }

    fn args(&self, args: &[CallArg<'static>], need: bool) -> Vec<CallArg<'static>> {
        let one = |expr: &E| if need { self.need(expr) } else { self.expr(expr) };
        args.iter()
            .map(|arg| match arg {
                CallArg::Pos(expr) => CallArg::Pos(one(expr)),
                CallArg::Kwarg(name, expr) => CallArg::Kwarg(name, one(expr)),
                CallArg::PosSplat(expr) => CallArg::PosSplat(self.need(expr)),
                CallArg::KwargSplat(expr) => CallArg::KwargSplat(self.need(expr)),
            })
            .collect()
    }

    fn call(&self, call: &Spanned<ast::Call<'static>>) -> Spanned<ast::Call<'static>> {
        let (expr, method) = match &call.expr {
            Expr::Var(var) => (Expr::Var(Spanned::new(ast::Var { id: var.id }, var.span())), false),
            Expr::GetAttr(get) => {
                let object = match &get.expr {
                    Expr::Var(var) if var.id == "self" => Expr::Var(Spanned::new(ast::Var { id: var.id }, var.span())),
                    object => self.expr(object),
                };
                (Expr::GetAttr(Spanned::new(ast::GetAttr { expr: object, name: get.name }, get.span())), true)
            }
            other => (self.expr(other), false),
        };
        Spanned::new(ast::Call { expr, args: self.args(&call.args, method) }, call.span())
    }

    fn body(&self, body: &[Stmt<'static>]) -> Vec<Stmt<'static>> {
        body.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn macro_(&self, m: &Spanned<ast::Macro<'static>>) -> Spanned<ast::Macro<'static>> {
        let node = ast::Macro {
            name: m.name,
            args: m.args.iter().map(target).collect(),
            defaults: self.exprs(&m.defaults),
            body: self.body(&m.body),
        };
        Spanned::new(node, m.span())
    }

    fn stmt(&self, stmt: &Stmt<'static>) -> Stmt<'static> {
        macro_rules! rebuilt {
            ($kind:ident, $old:ident, $new:expr) => {
                Stmt::$kind(Spanned::new($new, $old.span()))
            };
        }
        match stmt {
            Stmt::Template(s) => rebuilt!(Template, s, ast::Template { children: self.body(&s.children) }),
            Stmt::EmitExpr(s) => rebuilt!(EmitExpr, s, ast::EmitExpr { expr: self.expr(&s.expr) }),
            Stmt::EmitRaw(s) => rebuilt!(EmitRaw, s, ast::EmitRaw { raw: s.raw }),
            Stmt::ForLoop(s) => rebuilt!(
                ForLoop,
                s,
                ast::ForLoop {
                    target: target(&s.target),
                    iter: self.need(&s.iter),
                    filter_expr: s.filter_expr.as_ref().map(|e| self.need(e)),
                    recursive: s.recursive,
                    body: self.body(&s.body),
                    else_body: self.body(&s.else_body),
                }
            ),
            Stmt::IfCond(s) => rebuilt!(
                IfCond,
                s,
                ast::IfCond {
                    expr: self.need(&s.expr),
                    true_body: self.body(&s.true_body),
                    false_body: self.body(&s.false_body),
                }
            ),
            Stmt::WithBlock(s) => rebuilt!(
                WithBlock,
                s,
                ast::WithBlock {
                    assignments: s.assignments.iter().map(|(to, from)| (target(to), self.expr(from))).collect(),
                    body: self.body(&s.body),
                }
            ),
            Stmt::Set(s) => rebuilt!(Set, s, ast::Set { target: target(&s.target), expr: self.expr(&s.expr) }),
            Stmt::SetBlock(s) => rebuilt!(
                SetBlock,
                s,
                ast::SetBlock {
                    target: target(&s.target),
                    filter: self.option(s.filter.as_ref()),
                    body: self.body(&s.body),
                }
            ),
            Stmt::AutoEscape(s) => {
                rebuilt!(AutoEscape, s, ast::AutoEscape { enabled: self.expr(&s.enabled), body: self.body(&s.body) })
            }
            Stmt::FilterBlock(s) => {
                rebuilt!(FilterBlock, s, ast::FilterBlock { filter: self.expr(&s.filter), body: self.body(&s.body) })
            }
            Stmt::Block(s) => {
                rebuilt!(Block, s, ast::Block { name: s.name, required: s.required, body: self.body(&s.body) })
            }
            Stmt::Import(s) => {
                rebuilt!(Import, s, ast::Import { expr: self.file(&s.expr), name: target(&s.name) })
            }
            Stmt::FromImport(s) => rebuilt!(
                FromImport,
                s,
                ast::FromImport {
                    expr: self.file(&s.expr),
                    names: s.names.iter().map(|(name, to)| (target(name), to.as_ref().map(target))).collect(),
                }
            ),
            Stmt::Extends(s) => rebuilt!(Extends, s, ast::Extends { name: self.file(&s.name) }),
            Stmt::Include(s) => self.include(s),
            Stmt::Macro(s) => Stmt::Macro(self.macro_(s)),
            Stmt::CallBlock(s) => rebuilt!(
                CallBlock,
                s,
                ast::CallBlock { call: self.call(&s.call), macro_decl: self.macro_(&s.macro_decl) }
            ),
            Stmt::Continue(s) => rebuilt!(Continue, s, ast::Continue),
            Stmt::Break(s) => rebuilt!(Break, s, ast::Break),
            Stmt::Do(s) => rebuilt!(Do, s, ast::Do { call: self.call(&s.call) }),
        }
    }

    /// A template's name: found in the role's and the playbook's folders.
    fn file(&self, name: &E) -> E {
        filter("__file", self.need(name), vec![], name.span())
    }

    /// `include` renders through us, so that the included text has the same rules.
    fn include(&self, include: &Spanned<ast::Include<'static>>) -> Stmt<'static> {
        let span = include.span();
        let function = Expr::Var(Spanned::new(ast::Var { id: "__include" }, span));
        let args = vec![
            CallArg::Pos(self.need(&include.name)),
            CallArg::Pos(constant(Value::from(include.ignore_missing), span)),
        ];
        let call = Expr::Call(Spanned::new(ast::Call { expr: function, args }, span));
        Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr: call }, span))
    }
}

fn constant(value: Value, span: Span) -> E {
    Expr::Const(Spanned::new(ast::Const { value }, span))
}

fn filter(name: &'static str, expr: E, args: Vec<E>, span: Span) -> E {
    let args = args.into_iter().map(CallArg::Pos).collect();
    Expr::Filter(Spanned::new(ast::Filter { name, expr: Some(expr), args }, span))
}

/// A place to assign to: copied as it is.
fn target(expr: &E) -> E {
    let span = expr.span();
    match expr {
        Expr::Var(var) => Expr::Var(Spanned::new(ast::Var { id: var.id }, span)),
        Expr::List(list) => {
            Expr::List(Spanned::new(ast::List { items: list.items.iter().map(target).collect() }, span))
        }
        Expr::Tuple(list) => {
            Expr::Tuple(Spanned::new(ast::Tuple { items: list.items.iter().map(target).collect() }, span))
        }
        Expr::GetAttr(get) => {
            Expr::GetAttr(Spanned::new(ast::GetAttr { expr: target(&get.expr), name: get.name }, span))
        }
        Expr::Const(c) => constant(c.value.clone(), span),
        _ => constant(Value::UNDEFINED, span),
    }
}

/// `ansible.builtin.bool` is `bool`.
pub(super) fn short(name: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy.", "ansible.utils.", "ansible.netcommon."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}
