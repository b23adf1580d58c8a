namespace Runbooks.Model.Incidents;

/// <summary>What an action did.</summary>
/// <param name="Did">In words, in the past tense.</param>
public sealed record ActionResult(string Did)
{
    /// <summary>Values that later steps and messages may read. Never a secret.</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>References of evidence that was kept, as <see cref="IEvidenceStore"/> gave them.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];
}
