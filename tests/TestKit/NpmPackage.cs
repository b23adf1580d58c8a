using System.ComponentModel;
using System.Diagnostics;

namespace TestKit;

/// <summary>A program of npm's, installed once on this machine in a folder that carries its version.</summary>
public static class NpmPackage
{
    /// <returns>The folder that holds <c>node_modules</c>; null where there is no Node or npm.</returns>
    /// <exception cref="InvalidOperationException">npm could not install it.</exception>
    public static async Task<string?> FindAsync(string name, string version)
    {
        if (await VersionOf("node") is null || await VersionOf("npm") is null)
        {
            return null;
        }

        var folder = Path.Combine(Path.GetTempPath(), $"runbooks-{name.Replace('/', '-').TrimStart('@')}-{version}");
        if (!Directory.Exists(folder))
        {
            // Beside it, then moved: two test runs may install at once.
            var own = $"{folder}.{Guid.NewGuid():N}";
            var (code, output) = await RunAsync("npm", "install", "--prefix", own, "--no-audit", "--no-fund", "--no-progress", $"{name}@{version}");
            if (code != 0)
            {
                throw new InvalidOperationException($"npm could not install {name}: {output}");
            }

            try
            {
                Directory.Move(own, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                Directory.Delete(own, recursive: true);
            }
        }

        return folder;
    }

    public static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(output));
    }

    private static async Task<string?> VersionOf(string program)
    {
        try
        {
            return (await RunAsync(program, "--version")) is (0, var version) ? version : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
