namespace Runbooks.Model.Incidents;

/// <summary>The answer to a diagnosis question. Unknown is not healthy.</summary>
public enum Verdict { Passing, Failing, Unknown }
