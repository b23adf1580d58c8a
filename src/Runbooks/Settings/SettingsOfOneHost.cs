namespace Runbooks.Settings;

/// <summary>Sections and settings that only one of the two hosts reads. The page of settings marks them, and the other host says whose they are.</summary>
public static class SettingsOfOneHost
{
    public static IReadOnlyList<string> FunctionsApp { get; } = ["AzureStorage", "Intake", "Runbooks:RefreshEvery", "Runbooks:RunbooksContainer", "Runbooks:RunbooksFolder"];

    public static IReadOnlyList<string> SelfHosted { get; } = ["Storage", "Telemetry"];

    /// <param name="isOwn">Whether the host that asks has what an entry of these lists names: that is then not only another's.</param>
    /// <returns>Who reads it, as it begins a sentence; null where both do, or none.</returns>
    public static string? ReaderOf(string path, Func<string, bool>? isOwn = null)
    {
        return Holds(FunctionsApp) ? "Only the Functions app" : Holds(SelfHosted) ? "Only a self-hosted process" : null;

        bool Holds(IReadOnlyList<string> names) => names.Any(name => IsOrHolds(name, path) && isOwn?.Invoke(name) != true);
    }

    private static bool IsOrHolds(string name, string path) => path.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (path.Length == name.Length || path[name.Length] == ':');
}
