namespace Runbooks.Catalog.Templates;

/// <summary>What a template became.</summary>
/// <param name="Value">Null when there are errors.</param>
/// <param name="Errors">Each names the placeholder and what is there instead. Values are never in them.</param>
/// <param name="Pending">Outputs of steps that have not run stand in the value as placeholders.</param>
public sealed record RenderedText(string? Value, IReadOnlyList<string> Errors, bool Pending);

public enum RenderMode
{
    /// <summary>Everything must be there.</summary>
    Run,

    /// <summary>Outputs of steps that have not run yet stay as placeholders.</summary>
    Plan,
}
