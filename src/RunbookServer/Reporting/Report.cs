using Runbooks.Catalog.Problems;

namespace RunbookServer.Reporting;

/// <summary>What a command that checks something has found, for a person or another program.</summary>
/// <param name="Command">As it is called: <c>validate</c> or <c>test</c>.</param>
/// <param name="IsStrict">Whether a warning counts as a failure.</param>
internal sealed record Report(string Command, bool IsStrict, IReadOnlyList<ReportedCase> Cases)
{
    public bool HasFailed => Cases.Any(HasFailedIn);

    public bool HasFailedIn(ReportedCase one) => one.Problems.Any(IsFailure);

    public bool IsFailure(CatalogError problem) => IsStrict || problem.Code is null;
}

/// <summary>One file that was checked, or one test that ran.</summary>
/// <param name="File">Relative to where the command was called.</param>
/// <param name="Problems">Errors, and warnings: those have a code.</param>
internal sealed record ReportedCase(string Name, string File, IReadOnlyList<CatalogError> Problems)
{
    /// <summary>The file's text, where an excerpt can be shown.</summary>
    public string? Text { get; init; }

    public TimeSpan Took { get; init; }
}
