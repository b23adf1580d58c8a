using System.Collections.Frozen;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Schema;

namespace Runbooks.Catalog;

/// <summary>Loading replaces all runbooks at once, and a broken file never replaces a good version.</summary>
public sealed class RunbookCatalog(RunbookReader reader)
{
    /// <summary>A team's folder must not have this file, since nothing reads it there.</summary>
    private const string Windows = "windows.yaml";

    private readonly Lock _loading = new();
    private volatile Snapshot _current = new([]);

    /// <summary>Ordered by id.</summary>
    public IReadOnlyList<Runbook> Current => _current.Runbooks;

    public Runbook? Find(string id) => _current.ById.GetValueOrDefault(id);

    /// <summary>Null if the file's runbook is not in force.</summary>
    public Runbook? FindByFile(string name) => _current.Entries.FirstOrDefault(entry => entry.File == name)?.Runbook;

    /// <summary>
    /// Takes over every good file. In the first load any error leaves the catalog empty, and the host does not start. Later, a good version
    /// stays in force until its file is good again, or is gone and no broken file may contain it.
    /// </summary>
    /// <param name="contacts">Makes an unknown name an error. Null for a host, which asks the fallback instead.</param>
    /// <param name="whole">If these are not all files, a runbook may name another one that is not among them.</param>
    public LoadResult Load(IEnumerable<RunbookFile> files, KnownContacts? contacts = null, bool whole = true)
    {
        lock (_loading)
        {
            var all = files.ToList();
            var (good, errors, warnings) = Examine(all, contacts, whole);
            List<Entry> kept = errors.Count == 0
                ? []
                : [.. _current.Entries.Where(old => good.TrueForAll(entry => entry.File != old.File && entry.Runbook.Id != old.Runbook.Id) && MayBeThere(old, all, errors))];
            var before = _current.Runbooks;
            if (errors.Count == 0 || _current.Entries.Count > 0)
            {
                _current = new([.. good.Concat(kept).OrderBy(entry => entry.Runbook.Id, StringComparer.Ordinal)]);
            }

            return new(errors, [.. kept.Select(entry => entry.Runbook.Id)]) { Changes = Changes(before, _current.Runbooks), Warnings = warnings };
        }
    }

    /// <summary>Checks these files as a whole. Changes nothing.</summary>
    /// <inheritdoc cref="Load"/>
    public LoadResult Check(IEnumerable<RunbookFile> files)
    {
        lock (_loading)
        {
            var (good, errors, warnings) = Examine([.. files], contacts: null, whole: true);
            return new(errors, []) { Changes = Changes(_current.Runbooks, [.. good.Select(entry => entry.Runbook)]), Warnings = warnings };
        }
    }

    /// <summary>Its file may be a broken one under another name. Files of another team do not count for a team's runbook.</summary>
    private static bool MayBeThere(Entry old, List<RunbookFile> files, List<CatalogError> errors)
    {
        var broken = errors.Select(error => error.File).ToHashSet(StringComparer.Ordinal);
        return old.Runbook.Team.Length == 0
            || files.Exists(file => file.Name == old.File || ((file.Team is null || file.Team.Folder == old.Runbook.Team) && file.IsAmong(broken)));
    }

    private (List<Entry> Good, List<CatalogError> Errors, IReadOnlyList<CatalogError> Warnings) Examine(
        List<RunbookFile> all, KnownContacts? contacts, bool whole)
    {
        var publications = new Dictionary<string, Publication?>(StringComparer.Ordinal);
        var read = new List<(string Name, ReadResult Result)>();
        var teams = all
            .Select(file => file.Team)
            .OfType<TeamFiles>()
            .DistinctBy(team => team.File.Name)
            .ToDictionary(team => team.File.Name, team => TeamFile.Read(team, contacts?.Names), StringComparer.Ordinal);
        var errors = teams.Values.SelectMany(team => team.Errors).ToList();
        foreach (var file in all)
        {
            // Without the team's file the runbooks of the team cannot be understood.
            var team = file.Team is { } its ? teams[its.File.Name].Team : null;
            if (file.Team is not null && Path.GetFileName(file.Name) == Windows)
            {
                errors.Add(new(file.Name, 1, 1, "", "Maintenance windows are those of all teams.", $"Move them into the {Windows} above the teams' folders."));
            }
            else if (file.Team is null || team is not null)
            {
                publications[file.Name] = file.Publication;
                read.Add((file.Name, Read(file, contacts, team)));
            }
        }

        errors.AddRange(read.SelectMany(file => file.Result.Errors));

        // A broken file may be the one that has the id.
        var misled = SuppressionRules.Check(read, whole && errors.Count == 0).ToList();
        errors.AddRange(misled);
        var good = new List<Entry>();
        foreach (var same in read.Where(file => file.Result.Runbook is not null && misled.TrueForAll(error => error.File != file.Name)).GroupBy(file => file.Result.Runbook!.Id))
        {
            var entries = same.Select(file => new Entry(file.Name, file.Result.Runbook! with { Publication = publications[file.Name] }) { IdAt = file.Result.IdAt }).ToList();
            good.AddRange(entries.Count == 1 ? entries : Duplicates(entries, errors));
        }

        return (
            good,
            errors,
            [.. teams.Values.SelectMany(team => team.Warnings), .. read.SelectMany(file => file.Result.Warnings), .. TriggerOverlap.Check(read)]);
    }

    private ReadResult Read(RunbookFile file, KnownContacts? contacts, Team? team)
    {
        try
        {
            return reader.Read(file.Name, file.Text, contacts, file.Samples, team);
        }
        // Whatever it is, the other files are read, and people hear which one it is.
        catch (Exception tripped)
        {
            var problem = $"The file cannot be read: {tripped.GetType().Name}: {tripped.Message.TrimEnd('.')}.";
            return new(null, [new(file.Name, 1, 1, "", problem, "This is a fault of the program: send the file with your report.")]);
        }
    }

    private static IReadOnlyList<string> Changes(IReadOnlyList<Runbook> before, IReadOnlyList<Runbook> after) =>
    [
        .. after
            .Where(runbook => before.FirstOrDefault(old => old.Id == runbook.Id) is { } old && old.Hash != runbook.Hash)
            .Select(runbook => $"{runbook.Id} changed"),
        .. after.ExceptBy(before.Select(old => old.Id), runbook => runbook.Id).Select(runbook => $"{runbook.Id} added"),
        .. before.ExceptBy(after.Select(runbook => runbook.Id), old => old.Id).Select(old => $"{old.Id} removed"),
    ];

    /// <summary>The one that had the id before may keep it.</summary>
    private IEnumerable<Entry> Duplicates(List<Entry> entries, List<CatalogError> errors)
    {
        foreach (var entry in entries)
        {
            var others = string.Join(", ", entries.Where(other => other != entry).Select(other => other.File));
            errors.Add(new(entry.File, entry.IdAt.Line, entry.IdAt.Column, "id", $"'{entry.Runbook.Id}' is also the id of {others}.", "Give each runbook an id of its own."));
        }

        return entries.Where(entry => _current.Entries.Any(old => old.File == entry.File && old.Runbook.Id == entry.Runbook.Id)).Take(1);
    }

    private sealed record Entry(string File, Runbook Runbook)
    {
        public Position IdAt { get; init; }
    }

    private sealed class Snapshot(IReadOnlyList<Entry> entries)
    {
        public IReadOnlyList<Entry> Entries => entries;

        public IReadOnlyList<Runbook> Runbooks { get; } = [.. entries.Select(entry => entry.Runbook)];

        public FrozenDictionary<string, Runbook> ById { get; } = entries.ToFrozenDictionary(entry => entry.Runbook.Id, entry => entry.Runbook);
    }
}

/// <param name="Name">The name in errors.</param>
public sealed record RunbookFile(string Name, string Text)
{
    /// <summary>The text files beside it, by relative path: <c>samples/ordinary.txt</c>.</summary>
    public IReadOnlyDictionary<string, string> Samples { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The team whose folder it is in. Null for none.</summary>
    public TeamFiles? Team { get; init; }

    /// <summary>Null for a plain file.</summary>
    public Publication? Publication { get; init; }

    /// <summary>Whether it, or its team's files, are among these.</summary>
    public bool IsAmong(IReadOnlySet<string> files) =>
        files.Contains(Name)
            || (Team is { } team && (files.Contains(team.File.Name) || (team.Contacts is { } own && files.Contains(own.Name))));
}

/// <param name="Folder">The folder's name.</param>
/// <param name="File">Its <c>team.yaml</c>.</param>
/// <param name="Contacts">Its <c>contacts.yaml</c>. Null if the team has no contacts of its own.</param>
public sealed record TeamFiles(string Folder, RunbookFile File, RunbookFile? Contacts)
{
    /// <summary>Why the team's runbooks stay unchanged although these two files have no errors themselves. Null for no reason.</summary>
    public CatalogError? Waits { get; init; }
}

/// <param name="Errors">Of all files, each in its file's order.</param>
/// <param name="Kept">Ids of runbooks that stay in force in an earlier version because of errors.</param>
public sealed record LoadResult(IReadOnlyList<CatalogError> Errors, IReadOnlyList<string> Kept)
{
    /// <summary>In words: <c>hanged-gpu changed</c>.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>Warnings do not keep a file from being loaded.</summary>
    public IReadOnlyList<CatalogError> Warnings { get; init; } = [];
}

public static class CatalogServices
{
    public static IServiceCollection AddRunbookCatalog(this IServiceCollection services)
    {
        services.AddRunbookSteps();
        services.TryAddSingleton(HostSettings.None);
        services.TryAddSingleton<RunbookReader>();
        services.TryAddSingleton<RunbookCatalog>();
        services.TryAddSingleton<RunbookSchema>();
        return services;
    }
}
