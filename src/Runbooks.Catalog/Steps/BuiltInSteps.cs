namespace Runbooks.Catalog.Steps;

/// <summary>What every host has beside its integrations; both touch nothing outside, so they need no stand-in anywhere.</summary>
public static class BuiltInSteps
{
    public const string Always = "always";
    public const string Note = "note";
}
