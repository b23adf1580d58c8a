using Runbooks.Model.Incidents;

namespace Runbooks.Model.Storage;

/// <summary>What a claim came to.</summary>
/// <param name="Opened">True when the candidate was inserted, false when it was folded into <paramref name="Incident"/>.</param>
public sealed record OpenResult(Incident Incident, bool Opened);
