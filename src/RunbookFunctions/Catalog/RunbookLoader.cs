using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.AzureStorage;
using Runbooks.Catalog;
using Runbooks.Intake;
using Runbooks.Settings;
using Runbooks.Storage;

namespace RunbookFunctions.Catalog;

/// <summary>Loads the runbooks before the app takes its first alert, and again while it runs.</summary>
internal sealed class RunbookLoader(
    RunbookCatalog catalog, PublishedFiles published, RunbookVersions versions, IOptions<RunbookSourceOptions> options, TimeProvider time, ILogger<RunbookLoader> logger) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.RefreshEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LoadAsync(stoppingToken);
            }
#pragma warning disable CA1031 // What is in force stays in force; the next round tries again.
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.RunbooksUnreadable(logger, failure);
            }
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var files = await ReadAsync(cancellationToken);
        var result = await versions.LoadAsync(files, cancellationToken);
        foreach (var error in result.Errors)
        {
            Log.RunbookRefused(logger, error.ToString());
        }

        foreach (var warning in result.Warnings)
        {
            Log.FileDoubtful(logger, warning.ToString());
        }

        if (result.Errors.Count > 0 && catalog.Current.Count == 0)
        {
            // Where no earlier version is known, one broken file must not keep the others from healing anything, and incidents that are waiting from going on.
            var broken = result.Errors.Select(error => error.File).ToHashSet(StringComparer.Ordinal);
            catalog.Load(files.Where(file => !broken.Contains(file.Name)), whole: false);
        }

        Log.RunbooksLoaded(logger, catalog.Current.Count);
    }

    private Task<IReadOnlyList<RunbookFile>> ReadAsync(CancellationToken cancellationToken) =>
        options.Value.RunbooksContainer is { Length: > 0 } container
            ? published.ReadAsync(container, cancellationToken)
            : ReadFolderAsync(options.Value.RunbooksFolder ?? Path.Combine(AppContext.BaseDirectory, "runbooks"), cancellationToken);

    private static async Task<IReadOnlyList<RunbookFile>> ReadFolderAsync(string folder, CancellationToken cancellationToken)
    {
        var (files, samples) = (new List<RunbookFile>(), SampleFolder.Read(folder));
        foreach (var path in Directory.EnumerateFiles(folder, "*.yaml").Where(PublishedFiles.IsRunbook).Order(StringComparer.Ordinal))
        {
            files.Add(new(Path.GetFileName(path), await File.ReadAllTextAsync(path, cancellationToken)) { Samples = samples });
        }

        return files;
    }
}

internal static class CatalogLoading
{
    /// <summary>The published runbooks, or the packaged ones where none are published.</summary>
    public static IServiceCollection AddPublishedRunbooks(this IServiceCollection services)
    {
        services.AddSettings<RunbookSourceOptions>(RunbookSourceOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services
            .AddPublishedFiles()
            .AddSingleton<LoadedRunbooks>(provider => () => provider.GetRequiredService<RunbookCatalog>().Current)
            .AddHostedService<MaintenanceRefresh>()
            .AddHostedService<RunbookLoader>();
    }
}
