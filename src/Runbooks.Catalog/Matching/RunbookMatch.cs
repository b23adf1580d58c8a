using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Matching;

/// <summary>The runbooks that apply to an alert, the most specific first; when there are none, <see cref="Reason"/> says why.</summary>
public sealed record RunbookMatch(IReadOnlyList<Runbook> Runbooks, string? Reason);
