namespace Runbooks.Catalog.Parameters;

/// <summary>The parameter's value never reaches history, timeline, logs, cards or pages.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class SecretAttribute : Attribute;
