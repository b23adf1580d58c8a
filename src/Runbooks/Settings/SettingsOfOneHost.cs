namespace Runbooks.Settings;

/// <summary>Sections and settings that only one of the two hosts reads. The page of settings marks them, and the other host says whose they are.</summary>
public static class SettingsOfOneHost
{
    public static IReadOnlyList<string> FunctionsApp { get; } = ["AzureStorage", "Intake", "Runbooks:RefreshEvery", "Runbooks:RunbooksContainer", "Runbooks:RunbooksFolder"];

    public static IReadOnlyList<string> SelfHosted { get; } = ["Storage", "Telemetry"];

    /// <returns>Who reads it, as it begins a sentence; null where both do, or none.</returns>
    public static string? ReaderOf(string path) =>
        FunctionsApp.Any(name => IsOrHolds(name, path)) ? "Only the Functions app" : SelfHosted.Any(name => IsOrHolds(name, path)) ? "Only a self-hosted process" : null;

    private static bool IsOrHolds(string name, string path) => path.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (path.Length == name.Length || path[name.Length] == ':');
}
