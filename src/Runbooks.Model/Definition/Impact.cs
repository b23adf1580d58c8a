namespace Runbooks.Model.Definition;

/// <summary>What it means for people while it is broken; shown first on every card.</summary>
public sealed record Impact(ImpactSeverity Severity, string Users, string Data);

public enum ImpactSeverity { Low, Medium, High, Critical }
