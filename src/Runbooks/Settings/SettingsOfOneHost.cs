namespace Runbooks.Settings;

/// <summary>Sections and settings that only one of the two hosts reads. The settings page marks them, and the other host says who reads them.</summary>
public static class SettingsOfOneHost
{
    public static IReadOnlyList<string> FunctionsApp { get; } =
        ["AzureStorage", "Intake", "Runbooks:RefreshEvery", "Runbooks:RunbooksContainer", "Runbooks:RunbooksFolder"];

    public static IReadOnlyList<string> SelfHosted { get; } = ["Storage", "Telemetry"];

    /// <param name="isOwn">Whether the asking host reads an entry of these lists, so that it is not only the other host's.</param>
    /// <returns>Who reads it, as the beginning of a sentence; null where both hosts do, or none.</returns>
    public static string? ReaderOf(string path, Func<string, bool>? isOwn = null)
    {
        return Holds(FunctionsApp) ? "Only the Functions app" : Holds(SelfHosted) ? "Only a self-hosted process" : null;

        bool Holds(IReadOnlyList<string> names) => names.Any(name => IsOrHolds(name, path) && isOwn?.Invoke(name) != true);
    }

    private static bool IsOrHolds(string name, string path) =>
        path.StartsWith(name, StringComparison.OrdinalIgnoreCase) && (path.Length == name.Length || path[name.Length] == ':');
}
