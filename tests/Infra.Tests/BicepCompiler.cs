using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Infra.Tests;

/// <summary>The real compiler, out of its NuGet package. It never leaves the machine: no file here uses a module registry.</summary>
static class BicepCompiler
{
    public static async Task<(int ExitCode, string Output)> RunAsync(string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Executable(), arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1", ["RUNBOOKS_CONTACT_EMAIL"] = "oncall@example.com" },
        })!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    public static string Executable()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64,
            "The Bicep compiler in the package is the one for Linux on x64.");

        var package = typeof(BicepCompiler).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(metadata => metadata.Key == "BicepPackage").Value;
        var path = Path.Combine(package!, "tools", "bicep");

        // A package carries no file modes that every unpacker keeps.
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute);
        }

        return path;
    }
}
